from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations import weighted_sum as kernels
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import Tracer
from tests.support.kernels import THREADS, Map, address, channels, copied, map_of, run, slopes
from tests.support.reference import random_array

cpu = devices.for_device("cpu")
V = vector_length()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("c", "other_c"), [(5, 5), (V, 3), (2 * V + 3, V + 1), (V + 2, 3 * V)])
def test_kernel(c: int, other_c: int, threads: int) -> None:
    x = random_array((2, 3, 4, c), 1, "float32")
    other = random_array((2, 3, 4, other_c), 2, "float32")
    other[..., c:] = np.inf  # what is not there is not read
    factors = random_array((2, c), 3, "float32")
    x_map, other_map, y_map = map_of(x), map_of(other), Map(x.shape)
    pair = copied(np.concatenate([channels(each) for each in factors]))
    given = slopes("linear")
    run(
        kernels.weighted_sum,
        threads,
        x=x_map.view,
        other=other_map.view,
        y=y_map.view,
        shared=min(c, other_c),
        factors=address(pair),
        slopes=address(given),
    )
    expected = kernels.weighted_sum_reference([x, other], factors)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-5, atol=1e-6)
    assert all(each.is_sound() for each in (x_map, other_map, y_map))


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("c", [16, 21])
def test_program(c: int, per_channel: bool) -> None:
    tracer = Tracer(cpu)
    x = tracer.maxpool(tracer.to_hwc(tracer.input((2, c, 3, 4))), 1, 1, 0)
    maps = [x, tracer.slice_channels(x, 1, c - 5), tracer.maxpool(x, 3, 1, 2)]
    factors = random_array((3, c) if per_channel else (3,), 3, "float32")
    graph = tracer.graph([tracer.activate(tracer.weighted_sum(maps, factors), "leaky")])
    program = Program(graph, Weights(), threads=1, exact=False)
    assert program.steps[-1].name == "weighted sum"
    given = random_array((2, c, 3, 4), 2, "float32")
    bound = program.bind()
    bound.run(given)
    (expected,) = replay(graph, [given])
    np.testing.assert_allclose(bound.outputs[0], expected, rtol=1e-5, atol=1e-5)
