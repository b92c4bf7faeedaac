from __future__ import annotations

import re
from pathlib import Path

from tests.cli.conftest import Run

MNIST = Path(__file__).parents[2] / "cfg/mnist.cfg"


def test_says_what_the_c_program_says(darknet: Run) -> None:
    code, out, err = darknet("speed", "-q", MNIST, "3")
    assert (code, err) == (0, "")
    number = r"[0-9]+\.[0-9]+"
    lines = [
        rf"3 evals, {number} Seconds",
        rf"Floating Point Operations: {number} Bn",
        rf"FLOPS: {number} Bn",
        rf"Speed: {number} sec/eval",
        rf"Speed: {number} Hz",
    ]
    for line, pattern in zip(out.splitlines(), lines, strict=True):
        assert re.fullmatch(pattern, line)


def test_the_operations_are_the_networks(darknet: Run) -> None:
    _, one, _ = darknet("speed", "-q", MNIST, "1")
    _, two, _ = darknet("speed", "-q", MNIST, "1", "--batch", "2")
    counts = [float(re.findall(r"Operations: (\S+)", out)[0]) for out in (one, two)]
    assert counts[1] > 1.5 * counts[0] > 0


def test_a_count_that_is_none(darknet: Run) -> None:
    code, out, _ = darknet("speed", MNIST, "0")
    assert (code, out) == (2, "")
