from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations import channels as kernels
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import Graph, Tracer
from tests.support.kernels import THREADS, Map, map_of, run
from tests.support.reference import random_array

cpu = devices.for_device("cpu")
V = vector_length()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("c", "first", "to"), [(5, 3, 2), (V, 1, 0), (2 * V + 3, 0, 1), (1, 4, 9)])
def test_any_channels_are_copied_to_any_place(c: int, first: int, to: int, threads: int) -> None:
    x = random_array((2, 3, 4, c + first), 1, "float32")
    x_map, y_map = map_of(x), Map((2, 3, 4, c + to + 1))
    y_map.values[...] = -7
    x_view, y_view = x_map.view, y_map.view
    source = x_view._replace(address=x_view.address + 4 * first)
    target = y_view._replace(address=y_view.address + 4 * to)
    run(kernels.copy_channels, threads, x=source, y=target, c=c)
    expected = np.full(y_map.shape, -7, np.float32)
    kernels.copy_channels_reference(x[..., first:], expected[..., to:], c)
    np.testing.assert_array_equal(y_map.values, expected)
    assert x_map.is_sound()
    assert y_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("first", [0, 3, V, V + 1])
def test_channels_are_cleared(first: int, threads: int) -> None:
    y_map = map_of(random_array((2, 3, 4, 2 * V + 3), 1, "float32"))
    expected = y_map.values.copy()
    expected[..., first:] = 0
    run(kernels.clear_channels, threads, y=y_map.view, first=first)
    np.testing.assert_array_equal(y_map.values, expected)
    assert y_map.is_sound()


def traced(c: int, parts: list[tuple[int, int]], padding: int = 0) -> Graph:
    """Slices of a pooled map, pooled again, side by side."""
    tracer = Tracer(cpu)
    x = tracer.maxpool(tracer.to_hwc(tracer.input((2, c, 5, 4))), 1, 1, 0)
    slices = [tracer.slice_channels(x, first, count) for first, count in parts]
    y = tracer.concat([tracer.maxpool(each, 2, 1, 1) for each in slices])
    return tracer.graph([tracer.pad_channels(y, padding) if padding else y, *slices])


@pytest.mark.parametrize(
    ("c", "parts", "copies"),
    [
        (3 * V, [(0, V), (V, 2 * V)], 0),
        (2 * V + 5, [(V, V + 5), (0, V)], 2),
        (2 * V, [(0, V // 2), (V // 2, V), (V, V)], 5),
        (7, [(2, 3), (0, 7), (6, 1)], 5),
    ],
)
def test_programs_copy_what_is_no_whole_vectors_alone(
    c: int, parts: list[tuple[int, int]], copies: int
) -> None:
    graph = traced(c, parts, padding=3)
    program = Program(graph, Weights(), threads=1, exact=False)
    assert all(step.algorithm != "plain" for step in program.steps)
    x = random_array((2, c, 5, 4), 2, "float32")
    bound = program.bind()
    for _ in range(2):
        bound.run(x)
        for found, expected in zip(bound.outputs, replay(graph, [x]), strict=True):
            np.testing.assert_array_equal(found, expected)
    rows = [len(rows) for step, rows in bound.rows if step.name in ("concat", "slice")]
    assert sum(rows) == copies


def test_a_slice_that_is_added_to_another_map_is_copied() -> None:
    tracer = Tracer(cpu)
    x = tracer.maxpool(tracer.to_hwc(tracer.input((1, 3 * V, 5, 4))), 1, 1, 0)
    part = tracer.slice_channels(x, V, V)
    weights = random_array((V, 3, 3, V), 3, "float32")
    y = tracer.shortcut(tracer.conv2d(part, weights, 1, 1, 1), part, 1.0, 1.0)
    graph = tracer.graph([y])
    bound = Program(graph, Weights(), threads=1, exact=False).bind()
    x_given = random_array((1, 3 * V, 5, 4), 2, "float32")
    bound.run(x_given)
    (expected,) = replay(graph, [x_given])
    np.testing.assert_allclose(bound.outputs[0], expected, atol=1e-4 * np.abs(expected).max())
