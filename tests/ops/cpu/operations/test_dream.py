from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.operations.dream import dream_delta, dream_delta_reference
from tests.support.kernels import THREADS, Map, address, copied, map_of, run
from tests.support.reference import random_array


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("thresh", [-1.0, 0.0, 1.5])
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_dream_delta(shape: tuple[int, ...], thresh: float, threads: int) -> None:
    x = random_array(shape, 1, "float32")
    x_map, y_map = map_of(x), Map(shape)
    given = copied(np.array([thresh]))
    run(dream_delta, threads, x=x_map.view, y=y_map.view, thresh=address(given))
    np.testing.assert_array_equal(y_map.values, dream_delta_reference(x, thresh))
    assert x_map.is_sound()
    assert y_map.is_sound()
