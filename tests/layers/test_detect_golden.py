"""Layers of detectors against the figures of the C programs, by the rules of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import golden_names, golden_network, load_golden, relative_error


@pytest.mark.parametrize("name", golden_names("detect"))
def test_outputs_are_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("detect", name)
    network = golden_network(figure, tmp_path)
    outputs = network.activations(figure["x"])
    assert sum(key.startswith("out_") for key in figure) == len(outputs)
    for index, output in enumerate(outputs):
        expected = figure[f"out_{index}"]
        error = relative_error(output.reshape(expected.shape), expected)
        assert error < 1e-4, f"layer {index} is off by {error:.2g}"
