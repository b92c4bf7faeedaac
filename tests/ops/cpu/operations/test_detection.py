"""The entries of boxes on the CPU: kernels, and the program that has them."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations.detection import activate_boxes_reference
from darknet_py.ops.detection import Entries
from darknet_py.ops.graph import Tracer
from tests.support.reference import random_array

cpu = devices.for_device("cpu")
CASES = [
    ((1, 3, 4, 21), Entries(3, ((0, 2), (4, 7)))),
    ((2, 2, 5, 85), Entries(1, ((0, 2), (4, 85)), scaled=((0, 2),), factor=1.05)),
    ((1, 3, 3, 14), Entries(2, (), scaled=((0, 2),), factor=2.0)),
    ((1, 4, 3, 50), Entries(5, ((0, 2), (4, 5)), ((5, 10),))),
    ((2, 1, 1, 66), Entries(2, ((0, 2),), ((5, 7), (7, 20), (20, 33)))),
    ((1, 1, 1, 48), Entries(1, softmaxes=((0, 3), (3, 6)))),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("shape", "entries"), CASES)
def test_program(shape: tuple[int, ...], entries: Entries, threads: int) -> None:
    n, h, w, c = shape
    tracer = Tracer(cpu)
    x = tracer.to_hwc(tracer.input((n, c, h, w)))
    graph = tracer.graph([tracer.activate_boxes(x, entries)])
    program = Program(graph, Weights(), threads=threads, exact=False)
    assert all(step.algorithm != "plain" for step in program.steps)
    given = 4 * random_array((n, c, h, w), 2, "float32")
    bound = program.bind()
    bound.run(given)
    expected = activate_boxes_reference(given.transpose(0, 2, 3, 1), entries)
    np.testing.assert_allclose(bound.outputs[0], expected, rtol=2e-6, atol=2e-6)
    plain = cpu.activate_boxes(given.transpose(0, 2, 3, 1), entries)
    np.testing.assert_allclose(plain, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_any_number(value: float) -> None:
    tracer = Tracer(cpu)
    entries = Entries(1, ((0, 2), (4, 7)))
    x = tracer.to_hwc(tracer.input((1, 7, 2, 2)))
    program = Program(tracer.graph([tracer.activate_boxes(x, entries)]), Weights(), 1, False)
    bound = program.bind()
    bound.run(np.full((1, 7, 2, 2), value, np.float32))
    y = bound.outputs[0]
    np.testing.assert_array_equal(y[..., 2:4], np.float32(value))
    expected = np.nan if np.isnan(value) else float(value > 0)
    np.testing.assert_allclose(y[..., [0, 1, 4, 5, 6]], expected, atol=1e-30)
