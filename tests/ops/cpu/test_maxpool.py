from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from tests.ops.windows import Pool, pools
from tests.support import reference
from tests.support.reference import random_array

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@DTYPES
@given(pool=pools())
def test_maxpool(dtype: str, pool: Pool) -> None:
    """Values below zero only: a border of zeros would win."""
    x = -1 - np.abs(random_array(pool.x_shape, pool.seed, dtype))
    y = maxpool(x, *pool.window)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, reference.maxpool(x, *pool.window))


@DTYPES
@given(pool=pools())
def test_maxpool_backward(dtype: str, pool: Pool) -> None:
    """Whole numbers: many are equal, and the first of them counts."""
    x = random_array(pool.x_shape, pool.seed, dtype).round()
    delta = random_array(pool.y_shape, pool.seed + 1, dtype)
    before = x.copy(), delta.copy()
    x_delta = maxpool_backward(delta, x, *pool.window)
    assert x_delta.dtype == dtype
    expected = reference.maxpool_backward(delta, x, *pool.window)
    np.testing.assert_allclose(x_delta, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(delta, before[1])


def test_the_first_of_equal_values_wins() -> None:
    x = np.zeros((1, 3, 3, 1), np.float32)
    delta = np.arange(1, 5, dtype=np.float32).reshape(1, 2, 2, 1)
    expected = [[1, 2, 0], [3, 4, 0], [0, 0, 0]]
    assert maxpool_backward(delta, x, 2, 1, 0)[0, :, :, 0].tolist() == expected


@pytest.mark.parametrize("at", range(9))
def test_nan_passes(at: int) -> None:
    x = np.arange(9, dtype=np.float32)
    x[at] = np.nan
    y = maxpool(x.reshape(1, 3, 3, 1), 3, 1, 0)
    assert np.isnan(y).all()


def test_only_windows_with_a_nan_give_one() -> None:
    x = np.ones((1, 4, 4, 2), np.float32)
    x[0, 0, 3, 1] = np.nan
    y = maxpool(x, 2, 2, 0)
    assert np.argwhere(np.isnan(y)).tolist() == [[0, 0, 1, 1]]


def test_infinity_is_a_value() -> None:
    x = np.array([-np.inf, np.inf], np.float32).reshape(1, 1, 1, 2)
    np.testing.assert_array_equal(maxpool(x, 1, 1, 0), x)
