from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations import multiply as kernels
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import Tracer
from tests.support.kernels import THREADS, Map, address, map_of, run, slopes
from tests.support.reference import random_array

cpu = devices.for_device("cpu")


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("c", [1, 5, 16, 37])
def test_a_number_for_each_pixel(c: int, threads: int) -> None:
    x = random_array((2, 3, 4, c), 1, "float32")
    other = random_array((2, 3, 4, 1), 2, "float32")
    other[0, 0, 0] = np.inf
    x_map, other_map, y_map = map_of(x), map_of(other), Map(x.shape)
    given = slopes("linear")
    maps = {"x": x_map.view, "other": other_map.view, "y": y_map.view}
    run(kernels.multiply_pixels, threads, **maps, slopes=address(given))
    np.testing.assert_array_equal(y_map.values, kernels.multiply_reference(x, other))
    assert all(each.is_sound() for each in (x_map, other_map, y_map))


@pytest.mark.parametrize("shape", [(3, 4, 21), (1, 1, 21), (3, 4, 1), (1, 1, 1)])
@pytest.mark.parametrize("activation", ["linear", "leaky"])
def test_program(shape: tuple[int, int, int], activation: str) -> None:
    tracer = Tracer(cpu)
    h, _, c = shape
    x = tracer.maxpool(tracer.to_hwc(tracer.input((2, 21, 3, 4))), 1, 1, 0)
    other = x if h > 1 else tracer.avgpool(x)
    other = tracer.slice_channels(other, 0, c)
    graph = tracer.graph([tracer.activate(tracer.multiply(x, other), activation)])
    program = Program(graph, Weights(), threads=1, exact=False)
    assert program.steps[-1].name == "multiply"
    given = random_array((2, 21, 3, 4), 2, "float32")
    bound = program.bind()
    bound.run(given)
    (expected,) = replay(graph, [given])
    np.testing.assert_allclose(bound.outputs[0], expected, rtol=1e-5, atol=1e-6)
    x_array = given.transpose(0, 2, 3, 1)
    reference = kernels.multiply_reference(x_array, replay_other(x_array, shape))
    np.testing.assert_allclose(cpu.activate(reference, activation), expected, rtol=1e-5, atol=1e-6)


def replay_other(x: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    other = x if shape[0] > 1 else cpu.avgpool(x)
    return np.ascontiguousarray(other[..., : shape[2]])
