"""The trials of layers find what is wrong: an answer a little off, a number beyond an end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from darknet_py.ops.cpu.operations.convolution import spec
from darknet_py.ops.cpu.operations.convolution.packing import folded
from scripts.trials.guards import Guards
from scripts.trials.layers import measure
from scripts.trials.trial import Failed


def test_a_factor_that_is_a_little_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(*args: object) -> tuple[np.ndarray | None, np.ndarray]:
        factor, biases = folded(*args)  # type: ignore[arg-type]
        biases[0] += 1e-4
        return factor, biases

    assert measure(Random(2), "avgpool")[1] < 1
    monkeypatch.setattr(spec, "folded", off)
    with pytest.raises(Failed, match="off by "):
        measure(Random(2), "avgpool")


@pytest.mark.parametrize("place", ["-1", "len(x)"])
def test_beyond_an_end_is_death(place: str) -> None:
    code = (
        "import ctypes; from random import Random; from scripts.trials.guards import Guards\n"
        "class First(Random):\n"
        f"    def random(self): return {1 if place == '-1' else 0}\n"
        "x = Guards(First(1)).copy(range(5))\n"
        "assert x.tolist() == [0, 1, 2, 3, 4]\n"
        f"ctypes.c_float.from_address(x.ctypes.data + 4 * ({place})).value\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert ended.returncode == -signal.SIGSEGV


def test_arrays_are_as_others() -> None:
    guards = Guards(Random(3))
    for shape in ((), (0, 3), (5,), (2, 3, 4), (1024,), (1025, 3)):
        x = guards.copy(np.ones(shape))
        assert (x.shape, x.dtype, x.flags.c_contiguous) == (shape, np.float32, True)
        assert x.flags.writeable
        np.testing.assert_array_equal(x, 1)
