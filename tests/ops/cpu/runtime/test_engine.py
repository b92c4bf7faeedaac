"""The engine keeps programs, and gives batches to threads picture by picture."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.errors import OutOfMemoryError
from darknet_py.ops.cpu.runtime import engine as engine_module
from darknet_py.ops.cpu.runtime.engine import Engine
from darknet_py.ops.execution import LazyGraph, replay
from darknet_py.ops.graph import Graph, Tracer

cpu = devices.for_device("cpu")
rng = np.random.default_rng(0)


def trace_of(weights: np.ndarray, calls: list[int] | None = None) -> Callable[[int], Graph]:
    def trace(n: int) -> Graph:
        if calls is not None:
            calls.append(n)
        tracer = Tracer(cpu)
        x = tracer.to_hwc(tracer.input((n, 8, 6, 7)))
        return tracer.graph([tracer.conv2d(x, weights, 1, 1, 1)])

    return trace


def weights() -> np.ndarray:
    return rng.standard_normal((16, 3, 3, 8)).astype(np.float32)


def pictures(n: int) -> np.ndarray:
    return rng.standard_normal((n, 8, 6, 7)).astype(np.float32)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 9, 16])
def test_batches(n: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "thread_count", lambda: threads)
    w, x = weights(), pictures(n)
    trace = trace_of(w)
    (expected,) = replay(trace(n), [x])
    (found,) = Engine(exact=True).run(LazyGraph("conv", trace, [w]), x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_same_again_bit_for_bit() -> None:
    w, x = weights(), pictures(5)
    one, other = (Engine().run(LazyGraph("conv", trace_of(w), [w]), x)[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_a_result_is_the_callers() -> None:
    w, engine = weights(), Engine()
    trace = trace_of(w)
    (first,) = engine.run(LazyGraph("conv", trace, [w]), pictures(1))
    kept = first.copy()
    engine.run(LazyGraph("conv", trace, [w]), pictures(1))
    np.testing.assert_array_equal(first, kept)


def test_a_recording_is_made_once_for_a_key_and_a_batch() -> None:
    w, engine, calls = weights(), Engine(), list[int]()
    trace = trace_of(w, calls)
    for _ in range(3):
        engine.run(LazyGraph("conv", trace, [w]), pictures(1))
    assert calls == [1]
    engine.run(LazyGraph("other", trace, [w]), pictures(1))
    engine.run(LazyGraph("conv", trace, [w.copy()]), pictures(1))
    assert calls == [1, 1, 1]


def test_parameters_that_moved() -> None:
    w, x, engine = weights(), pictures(1), Engine()
    trace = trace_of(w)
    engine.run(LazyGraph("conv", trace, [w]), x)
    w *= 2
    (expected,) = replay(trace(1), [x])
    for forget in (engine.clear, engine.moved):
        forget()
        (found,) = engine.run(LazyGraph("conv", trace, [w]), x)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_program_that_reads_parameters_anew_stays() -> None:
    w, engine, calls = weights(), Engine(), list[int]()
    trace = trace_of(w, calls)
    for _ in range(2):
        engine.run(LazyGraph("conv", trace, [w], changing=True), pictures(2))
        engine.moved()
    assert calls == [2]


def test_few_programs_are_kept() -> None:
    w, engine = weights(), Engine()
    for number in range(50):
        engine.run(LazyGraph(number, trace_of(w), [w]), pictures(1))
    assert len(engine._programs) < 20


def test_other_types_are_computed_as_they_are() -> None:
    w = weights().astype(np.float64)
    x = pictures(2)
    (found,) = Engine().run(LazyGraph("conv", trace_of(w), [w]), x)
    assert found.dtype == np.float64
    (expected,) = replay(trace_of(w)(2), [x.astype(np.float64)])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_several_python_threads_at_once() -> None:
    w, engine = weights(), Engine()
    xs = [pictures(3) for _ in range(16)]
    expected = [engine.run(LazyGraph("conv", trace_of(w), [w]), x)[0] for x in xs]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda x: engine.run(LazyGraph("conv", trace_of(w), [w]), x)[0], xs)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_times_of_all_steps() -> None:
    w = weights()
    times = Engine().times(LazyGraph("conv", trace_of(w), [w]), pictures(1), rounds=2)
    assert [name for name, *_ in times.steps] == ["picture", "3x3/1 16"]
    assert all(seconds > 0 for *_, seconds in times.steps)
    assert times.peak > 1


def test_a_large_batch_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By how little of it takes, before anything is made of all; not again at each step."""
    monkeypatch.setattr(engine_module, "SMALL", 0)
    w = weights()
    calls: list[int] = []
    engine = Engine()
    for _ in range(3):
        engine.run(LazyGraph("conv", trace_of(w, calls), [w], changing=True), pictures(6))
    assert calls == [1, 6]


@pytest.mark.parametrize("changing", [False, True])
def test_memory_that_ends_is_one_line(changing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    w, engine = weights(), Engine()
    monkeypatch.setattr("darknet_py.ops.cpu.compile.program.Program.bind", fails)
    monkeypatch.setattr(engine_module, "thread_count", lambda: 1)
    with pytest.raises(OutOfMemoryError, match="6 at once need more memory than there is") as found:
        engine.run(LazyGraph("conv", trace_of(w), [w], changing=changing), pictures(6))
    assert found.value.fits == 5


def test_sequences_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "thread_count", lambda: 2)
    w = weights()
    calls: list[int] = []
    Engine().run(LazyGraph("conv", trace_of(w, calls), [w], time_steps=3), pictures(6))
    assert calls == [6]
