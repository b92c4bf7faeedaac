from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Model, Run


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as drawn:
        return np.asarray(drawn)


def test_the_first_layers_weights(darknet: Run, model: Model, tmp_path: Path) -> None:
    sheet = tmp_path / "f.png"
    code, out, err = darknet("filters", "-q", *model, "-o", sheet)
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"{sheet}: Layer 0 \[convolutional\]: weights of \d+ filters\n", out)
    assert len(np.unique(pixels(sheet).reshape(-1, 3), axis=0)) > 50


def test_what_filters_want(darknet: Run, model: Model, tmp_path: Path) -> None:
    sheet, again, other = (tmp_path / f"{name}.png" for name in "abc")
    options = ("--layer", 2, "--channel", 3, "--channel", 1, "-iters", 4, "--size", 40)
    code, out, _ = darknet("filters", "-q", *model, *options, "-o", sheet)
    assert code == 0
    first, second, last = out.splitlines()
    number = r"-?\d+\.\d{6}"
    pattern = rf"channel (\d): ({number}) for noise, ({number}) after 4 steps"
    for line, channel in ((first, "3"), (second, "1")):
        found = re.fullmatch(pattern, line)
        assert found
        assert found[1] == channel
        assert float(found[3]) > float(found[2])
    assert last.startswith(f"{sheet}: Layer 2 ")
    darknet("filters", "-q", *model, *options, "-o", again)
    darknet("filters", "-q", *model, *options, "--seed", 1, "-o", other)
    np.testing.assert_array_equal(pixels(sheet), pixels(again))
    assert not np.array_equal(pixels(sheet), pixels(other))


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--channel", "1"], 2, "--channel and --size go with --layer"),
        (["--size", "40"], 2, "--channel and --size go with --layer"),
        (["--layer", "99"], 1, "there is no layer 99"),
        (["--layer", "0", "--channel", "999"], 1, "layer 0 has no channel 999"),
        (["-o", "none/f.png"], 1, "none/f.png: cannot be written"),
    ],
)
def test_what_cannot_be(
    darknet: Run, model: Model, options: list[str], code: int, line: str
) -> None:
    result = darknet("filters", "-q", *model, *options)
    assert (result.code, result.out) == (code, "")
    assert line in result.err
