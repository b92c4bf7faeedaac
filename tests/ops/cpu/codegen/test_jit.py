from __future__ import annotations

import pickle
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.ops import cache
from darknet_py.ops.cpu.codegen.jit import JitFunction, jit
from tests.support.processes import run_python

_two = 2


@jit
def double(x):  # type: ignore[no-untyped-def]
    """Twice x."""
    return _two * x


@jit
def double_all(x):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        x[i] = double(x[i])
    return double(double(len(x)))


@jit
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
    @jit
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
from darknet_py.ops import notices
from darknet_py.ops.cpu.conv import _im2col, im2col
assert not {"numba", "llvmlite"} & sys.modules.keys()
notices.when_compiling(lambda is_kept: print("compiling", is_kept))
im2col(np.zeros((1, 3, 3, 1), "f"), 3, 1, 1, 1)
stats = _im2col.compiled().stats
print(*(sum(count.values()) for count in (stats.cache_hits, stats.cache_misses)))
assert (notices.seconds_compiling() > 0) == (len(stats.cache_misses) > 0)
"""


def test_numba_waits_for_the_first_call_and_keeps_its_code_with_ours(tmp_path: Path) -> None:
    """Nor does a folder that is named for all of numba's change that."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    where = {cache.CACHE_VARIABLE: str(ours), "NUMBA_CACHE_DIR": str(theirs)}
    assert run_python(SCRIPT, **where).split() == ["compiling", "True", "0", "1"]
    assert run_python(SCRIPT, **where).split() == ["1", "0"]
    assert list(ours.rglob("conv._im2col-*"))
    assert not theirs.exists()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A file, as root may write into any folder."""
    (tmp_path / "file").touch()
    out = run_python(SCRIPT, **{cache.CACHE_VARIABLE: str(tmp_path / "file")})
    assert out.split() == ["compiling", "False", "0", "1"]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the code of double_all is kept, alone in its folder, after it was compiled."""
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    cache.folder.cache_clear()
    assert computed()[1:] == (0, 1)
    (path,) = tmp_path.rglob("test_jit.double_all-*")
    yield path
    monkeypatch.undo()
    cache.folder.cache_clear()


def computed() -> tuple[list[float], int, int]:
    """What double_all makes of some numbers, in what a new process would know of it; how often its
    code was found, and not."""
    fresh, x = JitFunction(double_all.function), np.arange(3.0)
    fresh(x)
    stats = fresh.compiled().stats
    hits, misses = (sum(count.values()) for count in (stats.cache_hits, stats.cache_misses))
    return x.tolist(), hits, misses


def test_what_is_kept_is_used(kept: Path) -> None:
    assert computed() == ([0, 2, 4], 1, 0)


def test_nothing_is_unpickled_that_is_not_whole_and_ours(kept: Path) -> None:
    """A pickle that would run what stands in it is not even looked at."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('unpickled')",)

    whole, bomb = kept.read_bytes(), pickle.dumps(Bomb())
    for damaged in (bomb, whole[:32] + bomb, b"", whole[:-1], whole[:100] + b"?" + whole[101:]):
        kept.write_bytes(damaged)
        assert computed() == ([0, 2, 4], 0, 1)
        assert computed() == ([0, 2, 4], 1, 0)  # it was replaced
    cache.store(kept.parent, kept.name, bomb)
    kept.chmod(0o660)
    assert computed() == ([0, 2, 4], 0, 1)


def test_a_full_disk_is_no_error(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    kept.unlink()
    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert computed() == ([0, 2, 4], 0, 1)
    assert not kept.exists()


def test_each_type_has_its_own(kept: Path) -> None:
    floats = np.arange(3, dtype=np.float32)
    JitFunction(double_all.function)(floats)
    assert floats.tolist() == [0, 2, 4]
    assert computed() == ([0, 2, 4], 1, 0)
    assert len(list(kept.parent.glob("test_jit.double_all-*"))) == 2


def test_a_kernel_that_was_typed_in_is_kept_too(kept: Path) -> None:
    source = "def triple(x):\n    return 3 * x\n"
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(source, "<stdin>", "exec"), names)
    assert JitFunction(names["triple"])(2) == 6
    assert list(kept.parent.glob("*triple*"))


def test_numba_may_be_switched_off() -> None:
    out = run_python(
        "import numpy as np; from darknet_py.ops.cpu.pictures import spline_surface\n"
        "print(spline_surface(np.ones((1, 5, 5), np.float32), 4, 6, 6).sum())",
        NUMBA_DISABLE_JIT="1",
    )
    assert float(out) == pytest.approx(36)
