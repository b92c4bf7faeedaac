from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.cpu import conv
from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from darknet_py.ops.cpu.runtime import threads
from tests.ops.windows import Conv, Pool, convs, pools
from tests.support.reference import random_array


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """thread_count() reads its variable again; the pool is another one."""
    threads.thread_count.cache_clear()
    yield
    monkeypatch.undo()
    threads.thread_count.cache_clear()


@contextmanager
def many_tasks() -> Iterator[None]:
    """One row of columns in each, one channel: every seam there can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv, "_COLUMNS", 1)
        patch.setattr(threads, "thread_count", lambda: 7)
        patch.setattr(conv, "thread_count", lambda: 7)
        yield


@pytest.mark.usefixtures("count")
@pytest.mark.parametrize("wanted", ["1", "3", "64"])
def test_the_variable_says_how_many(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.THREADS_VARIABLE, wanted)
    assert threads.thread_count() == int(wanted)


@pytest.mark.usefixtures("count")
@pytest.mark.parametrize("wanted", ["", "0", "-2", "many", "1.5"])
def test_what_is_no_number_of_threads(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.THREADS_VARIABLE, wanted)
    assert 1 <= threads.thread_count() <= (os.cpu_count() or 1)


@given(st.integers(1, 100))
def test_spread(total: int) -> None:
    parts = threads.spread(total)
    assert [i for part in parts for i in part] == list(range(total))
    assert len(parts) <= threads.thread_count()
    sizes = [len(part) for part in parts]
    assert 1 <= max(sizes) - min(sizes) + 1 <= 2


def test_run_keeps_the_order_and_passes_errors_on() -> None:
    assert threads.run(lambda i: i * i, range(50)) == [i * i for i in range(50)]
    assert threads.run(str, [7]) == ["7"]
    assert threads.run(str, []) == []
    with pytest.raises(ZeroDivisionError):
        threads.run(lambda i: 1 / i, [2, 1, 0])


def test_run_from_several_threads_at_once() -> None:
    results: list[list[int]] = []

    def caller() -> None:
        results.append(threads.run(lambda i: i + 1, range(100)))

    callers = [threading.Thread(target=caller) for _ in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert results == [list(range(1, 101))] * 4


@given(convs())
def test_seams_of_a_convolution(case: Conv) -> None:
    size, seed = case.size, case.seed
    x, weights, delta = (
        random_array(shape, seed) for shape in (case.x_shape, case.weights_shape, case.y_shape)
    )
    window = case.window
    with many_tasks():
        y = conv.conv2d(x, weights, *window)
        x_delta = conv.conv2d_backward_input(delta, weights, case.x_shape, *window)
        updates = conv.conv2d_backward_weights(delta, x, size, *window)
    assert y.shape == case.y_shape
    total = (delta * y).sum()
    assert (x_delta * x).sum() == pytest.approx(total, abs=1e-9)
    assert (updates * weights).sum() == pytest.approx(total, abs=1e-9)
    one_by_one = [conv.conv2d(x[b : b + 1], weights, *window)[0] for b in range(case.n)]
    np.testing.assert_allclose(y, one_by_one, rtol=1e-12, atol=1e-12)


@given(pools())
def test_seams_of_a_maxpool(pool: Pool) -> None:
    x, delta = random_array(pool.x_shape, pool.seed), random_array(pool.y_shape, pool.seed)
    with many_tasks():
        y = maxpool(x, *pool.window)
        x_delta = maxpool_backward(delta, x, *pool.window)
    inside = np.isfinite(y)
    total = (delta[inside] * y[inside]).sum()
    assert (x_delta * x).sum() == pytest.approx(total, abs=1e-9)


FORK = """
import os, sys
from darknet_py.ops.cpu.runtime import threads
assert threads.run(abs, [-1, -2, -3]) == [1, 2, 3]
child = os.fork()
if child == 0:
    ok = threads.run(abs, [-1, -2, -3]) == [1, 2, 3]
    os._exit(0 if ok else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_a_fork_has_threads_of_its_own() -> None:
    """A process without its parent's threads would wait for them forever."""
    environment = {**os.environ, threads.THREADS_VARIABLE: "3"}
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    subprocess.run(command, check=True, timeout=60, env=environment)


def test_errstate_holds_in_tasks() -> None:
    def overflows(_: int) -> float:
        return float(np.float32(1e30) * np.float32(1e30))

    with np.errstate(over="ignore"):
        assert threads.run(overflows, [1, 2, 3]) == [np.inf] * 3
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.run(overflows, [1, 2, 3])
