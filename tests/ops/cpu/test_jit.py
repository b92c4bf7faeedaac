from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from darknet_py.ops.cpu.jit import kernel
from tests.support.processes import run_python

_two = 2


@kernel
def double(x):  # type: ignore[no-untyped-def]
    """Twice x."""
    return _two * x


@kernel
def double_all(x):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        x[i] = double(x[i])
    return double(double(len(x)))


@kernel
def double_some(x, first=1):  # type: ignore[no-untyped-def]
    return double_all(x[first:])


def test_kernels_call_kernels() -> None:
    x = np.arange(5.0)
    assert double_some(x) == 16
    np.testing.assert_array_equal(x, [0, 2, 4, 6, 8])
    assert double_some(x, 4) == 4
    whole = np.arange(5)
    assert double_all(whole) == 20
    np.testing.assert_array_equal(whole, [0, 2, 4, 6, 8])


def test_names() -> None:
    assert (double.__name__, double.__doc__, double.__module__) == ("double", "Twice x.", __name__)


def test_first_calls_from_several_threads() -> None:
    @kernel
    def triple(x):  # type: ignore[no-untyped-def]
        return 3 * x

    results: list[int] = []
    callers = [threading.Thread(target=lambda: results.append(triple(2))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == [6] * 4


SCRIPT = """
import sys
import numpy as np
from darknet_py.ops.cpu.im2col import _im2col, im2col
assert not {"numba", "llvmlite"} & sys.modules.keys()
im2col(np.zeros((1, 3, 3, 1), "f"), 3, 1, 1, 1)
assert "numba" in sys.modules
import numba
stats = _im2col.compiled().stats
hits, misses = (sum(count.values()) for count in (stats.cache_hits, stats.cache_misses))
print(hits, misses, numba.config.CACHE_DIR or "none")
"""


def test_numba_waits_for_the_first_call_and_keeps_its_code_with_ours(tmp_path: Path) -> None:
    where = {"DARKNET_CACHE_DIR": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    assert run_python(SCRIPT, **where) == "0 1 none\n"
    assert run_python(SCRIPT, **where) == "1 0 none\n"
    assert list(tmp_path.rglob("im2col._im2col-*.nbi"))


def test_numbas_own_folder_is_used_where_one_is_named(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    where = {"DARKNET_CACHE_DIR": str(ours), "NUMBA_CACHE_DIR": str(theirs)}
    assert run_python(SCRIPT, **where) == f"0 1 {theirs}\n"
    assert list(theirs.rglob("*.nbi"))
    assert not list(ours.rglob("*.nbi"))


@pytest.mark.parametrize("theirs", ["", "theirs"])
def test_where_nothing_can_be_written(theirs: str, tmp_path: Path) -> None:
    """Neither a home nor a checkout: files, as root may write into any folder."""
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file")
    where = {
        "DARKNET_CACHE_DIR": nowhere,
        "NUMBA_CACHE_DIR": theirs and f"{nowhere}/{theirs}",
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator" if theirs else "",
    }
    out = run_python(SCRIPT, **where)
    assert out.split()[0] == "0"


def test_numba_may_be_switched_off() -> None:
    out = run_python(
        "import numpy as np; from darknet_py.ops.cpu.spline import spline_surface\n"
        "print(spline_surface(np.ones((1, 5, 5), np.float32), 4, 6, 6).sum())",
        NUMBA_DISABLE_JIT="1",
    )
    assert float(out) == pytest.approx(36)
