"""A replay holds what is still needed, and its peak is known before."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.ops.execution import peak_bytes, replay, with_last_uses
from darknet_py.ops.graph import Graph, Tracer

cpu = devices.for_device("cpu")


def recording(n: int = 1) -> Graph:
    """x (n, 2, 2, 3), read twice; a sum that only its successor reads; a mean."""
    tracer = Tracer(cpu)
    x = tracer.input((n, 2, 2, 3))
    one = tracer.activate(x, "relu")
    two = tracer.add(one, x)
    return tracer.graph([tracer.avgpool(two)])


def test_maps_go_after_their_last_reader() -> None:
    calls = list(with_last_uses(recording()))
    gone = [len(done) for _, done in calls]
    assert gone == [0, 2, 1]  # none; x and one; two. The output stays


def test_an_effect_holds_nothing() -> None:
    tracer = Tracer(cpu)
    x = tracer.input((1, 1, 1, 3))
    array = np.ones((1, 1, 1, 3), np.float32)
    tracer.accumulate(array, x)
    ((_, done),) = with_last_uses(tracer.graph([]))
    assert done == [x]
    assert replay(tracer.graph([]), [array.copy()]) == []
    np.testing.assert_array_equal(array, 2)


def test_arrays_are_let_go_of() -> None:
    class PictureReport(np.ndarray):
        pass

    alive: list[Any] = []
    made = recording()
    for call in made.calls:
        function = call.function
        assert function is not None

        def noted(*arguments: Any, function: Any = function) -> Any:
            # what earlier calls gave, and nobody needs any more, is gone by now
            counts.append(sum(each() is not None for each in alive))
            y = function(*arguments).view(PictureReport)
            alive.append(weakref.ref(y))
            return y

        call.function = noted
    counts: list[int] = []
    (y,) = replay(made, [np.ones((1, 2, 2, 3), np.float32)])
    assert counts == [0, 1, 1]  # the third call sees the sum alone
    np.testing.assert_array_equal(y, np.full((1, 1, 1, 3), 2))


def test_peak() -> None:
    # x, one and two at once, 12 numbers each; then two and the mean
    assert peak_bytes(recording()) == 4 * 36
    assert peak_bytes(recording(), item=2) == 2 * 36
    assert peak_bytes(recording(5)) == 5 * peak_bytes(recording())
