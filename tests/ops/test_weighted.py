from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from tests.support.reference import random_array

cpu = devices.for_device("cpu")


def test_factors() -> None:
    weights = np.array([[1, -2], [3, 4.0]])
    relu = cpu.shortcut_factors(weights, "relu")
    np.testing.assert_allclose(relu, [[1 / 4.0001, 0], [3 / 4.0001, 4 / 4.0001]])
    softmax = cpu.shortcut_factors(weights, "softmax")
    first, second = np.exp(-2), np.exp(-6)
    expected = [
        [first / (1 + first + 1e-4), second / (1 + second + 1e-4)],
        [1 / (1 + first + 1e-4), 1 / (1 + second + 1e-4)],
    ]
    np.testing.assert_allclose(softmax, expected)


@pytest.mark.parametrize("normalization", ["relu", "softmax"])
@pytest.mark.parametrize("size", [0.1, 1e3, 1e30])
def test_large_weights_overflow_nothing(normalization: str, size: float) -> None:
    weights = np.float32(size) * random_array((3, 5), 1, "float32")
    factors = cpu.shortcut_factors(weights, normalization)
    assert np.isfinite(factors).all()
    assert factors.dtype == np.float32
    delta = cpu.shortcut_factors_backward(factors, weights, normalization)
    assert np.isfinite(delta).all()
    assert delta.dtype == np.float32


@pytest.mark.parametrize("normalization", ["relu", "softmax"])
@pytest.mark.parametrize("shape", [(3,), (4, 5)])
def test_gradient_of_factors(normalization: str, shape: tuple[int, ...]) -> None:
    weights, delta = random_array(shape, 1), random_array(shape, 2)
    found = cpu.shortcut_factors_backward(delta, weights, normalization)
    step, numerical = 1e-6, np.empty(shape)
    for at in np.ndindex(shape):
        moved = np.zeros(shape)
        moved[at] = step
        above, below = (
            cpu.shortcut_factors(weights + sign * moved, normalization) for sign in (1, -1)
        )
        numerical[at] = (delta * (above - below)).sum() / (2 * step)
    np.testing.assert_allclose(found, numerical, atol=1e-9)


def test_equal_weights_share_the_gradient_but_for_what_the_first_one_subtracts() -> None:
    weights, delta = np.ones(3), np.array([1.0, 2, 3])
    found = cpu.shortcut_factors_backward(delta, weights, "softmax")
    factor, total = 1 / 3.0001, 3.0001
    mean = 6 * factor
    expected = factor * (delta - mean) - np.array([mean * 1e-4 / total, 0, 0])
    np.testing.assert_allclose(found, expected)
