from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations.dropout import Dropout, dropout, dropout_reference
from darknet_py.ops.graph import Tracer
from darknet_py.ops.random import random_key
from tests.support.kernels import THREADS, Map, address, copied, map_of, run
from tests.support.reference import random_array

CPU = devices.for_device("cpu")


def bits(key: np.ndarray) -> int:
    return sum(int(part) << 16 * i for i, part in enumerate(key.ravel()))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 1, 1, 40), (1, 2, 1, 16)])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.75])
def test_dropout(shape: tuple[int, ...], probability: float, threads: int) -> None:
    x, key = random_array(shape, 1, "float32"), random_key(3, 7)
    x_map, y_map = map_of(x), Map(shape, 0)
    threshold = int(np.ceil(np.float32(probability) * 2.0**24))
    scale = copied(np.array([1 / (1 - np.float32(probability))], np.float32))
    there = copied(key)
    places = {"x": x_map.view, "y": y_map.view, "key": address(there), "scale": address(scale)}
    run(dropout, threads, threshold=threshold, **places)
    expected = dropout_reference(x, probability, bits(key))
    np.testing.assert_array_equal(y_map.values, expected)
    np.testing.assert_array_equal(CPU.dropout(x, probability, key), expected)
    assert x_map.is_sound()
    assert y_map.is_sound()


def test_a_program_takes_another_key_in_each_run() -> None:
    tracer = Tracer(CPU)
    tracer.input((2, 6, 3, 4))
    (given,) = tracer.inputs
    x, key = tracer.to_hwc(given), tracer.input((1, 1, 1, 4))
    program = Program(tracer.graph([tracer.dropout(x, 0.5, key)]), Weights(), 2, exact=False)
    assert [type(step) for step in program.steps[1:]] == [Dropout]
    bound, pictures = program.bind(), random_array((2, 6, 3, 4), 1, "float32")
    for draw in range(3):
        bound.run(pictures, random_key(1, draw))
        expected = CPU.dropout(CPU.to_hwc(pictures), 0.5, random_key(1, draw))
        np.testing.assert_array_equal(bound.outputs[0], expected)
