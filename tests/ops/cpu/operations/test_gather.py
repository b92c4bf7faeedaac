from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations.gather import gather, gather_reference
from darknet_py.ops.graph import Tracer
from tests.support.kernels import THREADS, Map, address, map_of, run
from tests.support.reference import random_array

cpu = devices.for_device("cpu")


@pytest.mark.parametrize("threads", THREADS)
def test_kernel(threads: int) -> None:
    x = random_array((2, 3, 4, 10), 1, "float32")
    x_map, y_map = map_of(x), Map((2, 6, 5, 4))
    places = np.random.default_rng(2).permutation(120).reshape(6, 5, 4)
    row, rest = np.divmod(places, 40)
    column, k = np.divmod(rest, 10)
    table = (row * x_map.view.row + column * x_map.view.pixel + 4 * k).astype(np.int64)
    run(gather, threads, x=x_map.view, y=y_map.view, table=address(table))
    np.testing.assert_array_equal(y_map.values, gather_reference(x, places))
    assert x_map.is_sound()
    assert y_map.is_sound()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("depth_to_space", (2,)), ("space_to_depth", (2,)), ("flatten_chw", ())),
        *(("reorg", (2,)), ("reorg_backward", (2,)), ("reorg_reverse", (2,))),
        *(("reorg_reverse_backward", (2,)), ("reorg_flatten", (2, False))),
        *(("reorg_flatten", (2, True)), ("reorg_flatten_backward", (2, False))),
        ("reorg_flatten_backward", (2, True)),
    ],
)
def test_program(name: str, arguments: tuple[object, ...]) -> None:
    tracer = Tracer(cpu)
    x = tracer.to_hwc(tracer.input((2, 32, 6, 4)))
    graph = tracer.graph([getattr(tracer, name)(x, *arguments)])
    program = Program(graph, Weights(), threads=1, exact=False)
    assert [step.name for step in program.steps] == ["picture", name]
    assert program.steps[-1].algorithm == ""
    given = random_array((2, 32, 6, 4), 2, "float32")
    bound = program.bind()
    bound.run(given)
    expected = getattr(cpu, name)(given.transpose(0, 2, 3, 1), *arguments)
    np.testing.assert_array_equal(bound.outputs[0], expected)
