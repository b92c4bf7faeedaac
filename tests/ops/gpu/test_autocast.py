"""bfloat16 by hand: which floats it keeps, and what kernels make of it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tests.ops.cupy_stand_in import gpu_on_numpy


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_numpy()


def rounded(gpu: ModuleType, values: np.ndarray) -> np.ndarray:
    half = gpu.pointwise
    back: np.ndarray = gpu.to_host(half.widen(half.narrow(gpu.array(values))))
    return back


def test_what_bfloat16_has_stays(gpu: ModuleType) -> None:
    values = np.array([0, -0.0, 1, -2.5, 0.15625, 3.389531e38, 1e-38, np.inf, -np.inf], np.float32)
    exact = (values.view(np.uint32) & 0xFFFF0000).view(np.float32)
    np.testing.assert_array_equal(rounded(gpu, exact), exact)
    assert np.signbit(rounded(gpu, exact)[1])


def test_rounding_is_to_the_nearest_and_ties_go_to_even(gpu: ModuleType) -> None:
    one = 2.0**-7  # the step at 1
    given = [1 + one / 2, 1 + 1.5 * one, 1 + 0.51 * one, 1 + 0.49 * one, -1 - 0.51 * one]
    expected = [1, 1 + 2 * one, 1 + one, 1, -1 - one]
    found = rounded(gpu, np.array(given, np.float32))
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_what_is_no_number_stays_none(gpu: ModuleType) -> None:
    odd = np.array([0x7F800001, 0x7FFFFFFF, 0xFF80FFFF], np.uint32).view(np.float32)
    assert np.isnan(rounded(gpu, odd)).all()


def test_too_large_a_number_is_infinite(gpu: ModuleType) -> None:
    assert rounded(gpu, np.array([3.4028e38], np.float32))[0] == np.inf


def test_kernels_compute_in_floats_and_round_once(gpu: ModuleType) -> None:
    rng = np.random.default_rng(0)
    x = rounded(gpu, rng.standard_normal((2, 3, 5, 40)).astype(np.float32))
    narrow, widen = gpu.pointwise.narrow, gpu.pointwise.widen
    scales, biases, mean = (rng.standard_normal(40).astype(np.float32) for _ in range(3))
    variance = rng.random(40, np.float32) + 0.5
    given = [gpu.array(each) for each in (scales, biases, mean, variance)]
    found = gpu.to_host(widen(gpu.batchnorm(narrow(gpu.array(x)), *given)))
    expected = gpu.to_host(gpu.batchnorm(gpu.array(x), *given))
    np.testing.assert_array_equal(found, rounded(gpu, expected))


def test_statistics_of_half_maps_are_floats(gpu: ModuleType) -> None:
    rng = np.random.default_rng(1)
    x = rounded(gpu, rng.standard_normal((3, 4, 4, 5)).astype(np.float32))
    mean, variance = map(gpu.to_host, gpu.batch_statistics(gpu.pointwise.narrow(gpu.array(x))))
    assert mean.dtype == variance.dtype == np.float32
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2)), rtol=0, atol=1e-6)
    np.testing.assert_allclose(variance, x.var(axis=(0, 1, 2), ddof=1), rtol=1e-5)
