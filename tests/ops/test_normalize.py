from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.normalize import (
    batch_statistics,
    batchnorm,
    batchnorm_backward,
    batchnorm_fixed_backward,
    channel_sum,
    deviation,
    l2norm,
    lrn,
    lrn_backward,
    moving_average,
    standardize,
    standardize_backward,
)
from darknet_py.ops.simplify import batchnorm_scale
from tests.ops.windows import SEEDS
from tests.support import reference
from tests.support.reference import random_array

SHAPES = st.tuples(*[st.integers(1, 4)] * 3, st.integers(1, 7))


@given(SHAPES, SEEDS)
def test_batch_statistics(shape: reference.Shape, seed: int) -> None:
    x = random_array(shape, seed)
    mean, variance = batch_statistics(x)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2)), rtol=1e-12, atol=1e-14)
    if x.size > shape[3]:
        expected = x.var(axis=(0, 1, 2), ddof=1)
        np.testing.assert_allclose(variance, expected, rtol=1e-12, atol=1e-14)
    else:
        np.testing.assert_array_equal(variance, 0)


def test_batch_statistics_of_many_values_far_from_zero() -> None:
    """A sum of squares in float32, or of 40,000 values in float32, would be far off."""
    x = (1000 + random_array((4, 100, 100, 2), 0)).astype(np.float32)
    mean, variance = batch_statistics(x)
    assert mean.dtype == variance.dtype == np.float32
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(variance, exact.var(axis=(0, 1, 2), ddof=1), rtol=1e-5)


@given(SHAPES, SEEDS)
def test_batchnorm(shape: reference.Shape, seed: int) -> None:
    c = shape[3]
    x, scales, biases, mean = (
        random_array(s, seed + i) for i, s in enumerate([shape, (c,), (c,), (c,)])
    )
    variance = np.abs(random_array((c,), seed + 4))
    before = x.copy()
    expected = reference.batchnorm(x, scales, biases, mean, variance)
    y = batchnorm(x, scales, biases, mean, variance)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-11)
    without = batchnorm(x, scales, None, mean, variance)
    np.testing.assert_allclose(without + biases, expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(x, before)


def test_batchnorm_of_its_own_statistics() -> None:
    x = 3 + 5 * random_array((3, 4, 5, 2), 0)
    y = batchnorm(x, np.ones(2), np.zeros(2), *batch_statistics(x))
    mean, variance = batch_statistics(y)
    np.testing.assert_allclose(mean, 0, atol=1e-12)
    np.testing.assert_allclose(variance, 1, rtol=1e-5)


def test_batchnorm_of_equal_values() -> None:
    """Variance 0, as of one picture's vector: no division by zero, forward or backward."""
    x = np.full((1, 1, 1, 3), 7.0)
    mean, variance = batch_statistics(x)
    biases = np.array([1.0, 2, 3])
    np.testing.assert_array_equal(batchnorm(x, np.ones(3), biases, mean, variance)[0, 0, 0], biases)
    results = batchnorm_backward(x, x, np.ones(3), mean, variance)
    assert all(np.isfinite(result).all() for result in results)


def test_rolling_statistics_of_zero() -> None:
    x = np.ones((1, 1, 1, 1))
    y = batchnorm(x, np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1))
    np.testing.assert_allclose(y, 1e6)


def test_variances_a_hair_below_zero_count_as_zero() -> None:
    """Real weights have them; NaN stays NaN."""
    below, zero = np.array([-7.006e-44, -1e-9, 4, np.nan]), np.array([0, 0, 4, np.nan])
    np.testing.assert_array_equal(deviation(below), [0, 0, 2, np.nan])
    x, delta = random_array((2, 3, 3, 4), 0), random_array((2, 3, 3, 4), 1)
    scales, biases, mean = (random_array((4,), seed) for seed in (2, 3, 4))
    found = [batchnorm(x, scales, biases, mean, below), batchnorm_scale(delta, scales, below)]
    expected = [batchnorm(x, scales, biases, mean, zero), batchnorm_scale(delta, scales, zero)]
    for backward in (batchnorm_backward, batchnorm_fixed_backward):
        found += backward(delta, x, scales, mean, below)
        expected += backward(delta, x, scales, mean, zero)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_stay(dtype: str) -> None:
    x, one = np.ones((2, 3, 3, 4), dtype), np.ones(4, dtype)
    results = [
        batchnorm(x, one, one, one, one),
        *batchnorm_backward(x, x, one, one, one),
        *batchnorm_fixed_backward(x, x, one, one, one),
        lrn(x, 5, 1e-4, 0.75, 1.0),
        lrn_backward(x, x, 5, 1e-4, 0.75, 1.0),
        l2norm(x),
    ]
    assert {result.dtype for result in results} == {np.dtype(dtype)}


def test_moving_average() -> None:
    rolling, value = np.array([1.0, 0]), np.array([2.0, 100])
    moving_average(rolling, value)
    np.testing.assert_allclose(rolling, [1.01, 1])
    np.testing.assert_array_equal(value, [2, 100])


def test_channel_sum_keeps_small_numbers() -> None:
    x = np.full((1, 1, 1 << 16, 1), 1e-4, np.float32)
    x[0, 0, 0, 0] = 1e4
    assert channel_sum(x).dtype == np.float32
    np.testing.assert_allclose(channel_sum(x), [1e4 + ((1 << 16) - 1) * 1e-4], rtol=1e-7)


@given(SHAPES, SEEDS, st.integers(1, 9))
def test_lrn(shape: reference.Shape, seed: int, size: int) -> None:
    x = random_array(shape, seed)
    expected = reference.lrn(x, size, 0.3, 0.75, 1.5)
    np.testing.assert_allclose(lrn(x, size, 0.3, 0.75, 1.5), expected, rtol=1e-12)


def test_l2norm() -> None:
    x = np.array([[3.0, 4], [0, 0], [-1e-3, 0]]).reshape(1, 1, 3, 2)
    np.testing.assert_allclose(l2norm(x)[0, 0], [[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]])


@given(SHAPES, SEEDS)
def test_standardize(shape: reference.Shape, seed: int) -> None:
    x, delta = random_array(shape, seed), random_array(shape, seed + 1)
    mean, deviation = random_array((shape[3],), seed + 2), 2 ** random_array((shape[3],), seed + 3)
    y, x_delta = standardize(x, mean, deviation), standardize_backward(delta, deviation)
    for k in range(shape[3]):
        np.testing.assert_array_equal(y[..., k], (x[..., k] - mean[k]) / deviation[k])
    step = 1e-6
    moved = standardize(x + step * delta, mean, deviation)
    np.testing.assert_allclose(
        (moved - y) / step, x_delta, atol=1e-6 * np.abs(x_delta).max() + 1e-7
    )
