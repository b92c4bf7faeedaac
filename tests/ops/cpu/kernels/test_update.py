from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import update
from darknet_py.ops.cpu.kernels.update import sgd_update
from tests.support.kernels import THREADS, address, aligned, copied, run
from tests.support.reference import random_array


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("decay", [0, 0.0005])
@pytest.mark.parametrize("count", [1, 7, 8, 100, 1003])
def test_sgd_update(count: int, decay: float, threads: int) -> None:
    rate, momentum, batch = 0.1, 0.9, 12
    value, updates = (copied(random_array((count,), i)) for i in (1, 2))
    expected = value.copy(), updates.copy()
    factors = [aligned(1) for _ in range(3)]
    for factor, number in zip(factors, (rate / batch, momentum, decay * batch), strict=True):
        factor[0] = number
    for _ in range(3):
        update.sgd_update(*expected, rate, momentum, decay, batch)
        run(
            sgd_update,
            threads,
            value=address(value),
            updates=address(updates),
            count=count,
            rate=address(factors[0]),
            momentum=address(factors[1]),
            decay=address(factors[2]),
        )
    np.testing.assert_array_equal((value, updates), expected)
