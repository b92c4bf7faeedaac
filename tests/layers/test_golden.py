"""Every layer against the C program's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import golden_names, golden_network, load_golden, relative_error

TOLERANCES = {
    # The C program's running sum of squares forgets a channel.
    "normalization": 1e-4,
}


@pytest.mark.parametrize("name", golden_names("forward"))
def test_outputs_are_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("forward", name)
    network = golden_network(figure, tmp_path)
    outputs = network.activations(figure["x"])
    assert sum(key.startswith("out_") for key in figure) == len(outputs)
    for index, output in enumerate(outputs):
        error = relative_error(output, figure[f"out_{index}"])
        assert error < TOLERANCES.get(name, 1e-5), f"layer {index} is off by {error:.2g}"
