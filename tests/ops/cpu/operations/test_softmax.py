from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.operations.softmax import softmax, softmax_reference
from tests.support.kernels import THREADS, Map, address, copied, map_of, run
from tests.support.reference import random_array


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", [(2, 1, 1, 20), (3, 2, 3, 5), (1, 1, 1, 1)])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_softmax(shape: tuple[int, ...], temperature: float, threads: int) -> None:
    x = 5 * random_array(shape, 1, "float32")
    x_map, y_map = map_of(x), Map((shape[0], 1, 1, x[0].size), 0)
    heat = copied(np.array([temperature]))
    run(softmax, threads, x=x_map.view, y=y_map.view, temperature=address(heat))
    expected = softmax_reference(x.astype("d"), temperature)
    np.testing.assert_allclose(y_map.values, expected, rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(y_map.values.sum(axis=3), 1, rtol=1e-6)
    assert x_map.is_sound()
    assert y_map.is_sound()
