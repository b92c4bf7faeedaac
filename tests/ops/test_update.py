from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.update import (
    adam_update,
    average_step,
    clip,
    is_finite,
    rmsprop_update,
    sgd_update,
    swap,
)

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@DTYPES
def test_sgd_two_steps_by_hand(dtype: str) -> None:
    """rate .1, momentum .9, decay .5, batch 2: decay * batch = 1, rate / batch = .05."""
    value, updates = np.array([1.0, -2], dtype), np.array([4.0, 6], dtype)
    sgd_update([value], [updates], [0.1], 0.9, [0.5], 2)
    # velocity 4 - 1 = 3, 6 + 2 = 8
    np.testing.assert_allclose(value, [1.15, -1.6], rtol=1e-6)
    np.testing.assert_allclose(updates, [2.7, 7.2], rtol=1e-6)
    updates += np.array([1, 1], dtype)
    sgd_update([value], [updates], [0.1], 0.9, [0.5], 2)
    # velocity 3.7 - 1.15 = 2.55, 8.2 + 1.6 = 9.8
    np.testing.assert_allclose(value, [1.2775, -1.11], rtol=1e-6)
    np.testing.assert_allclose(updates, [2.295, 8.82], rtol=1e-6)
    assert value.dtype == updates.dtype == dtype


def test_sgd_without_decay_or_momentum() -> None:
    value, updates = np.array([1.0]), np.array([8.0])
    sgd_update([value], [updates], [0.5], 0.0, [0.0], 4)
    assert value.tolist() == [2]
    assert updates.tolist() == [0]


def test_decay_does_not_depend_on_the_batch() -> None:
    for batch in (1, 8):
        value, updates = np.array([3.0]), np.array([0.0])
        sgd_update([value], [updates], [0.1], 0.0, [0.01], batch)
        np.testing.assert_allclose(value, [3 * (1 - 0.1 * 0.01)])


@DTYPES
def test_adam_two_steps_by_hand(dtype: str) -> None:
    value, updates = np.array([1.0], dtype), np.array([4.0], dtype)
    m, v = np.zeros(1, dtype), np.zeros(1, dtype)
    how = [0.1], 0.9, 0.99, 0.5, [1.0], 2
    adam_update([value], [updates], [m], [v], *how, t=1)
    # of updates 4 - 2 = 2: m = .2, v = .04; without bias 2 and 4: value + .1 * 2 / (2 + .5)
    np.testing.assert_allclose([m[0], v[0], value[0]], [0.2, 0.04, 1.08], rtol=1e-5)
    assert updates.tolist() == [0]
    updates[:] = 3.16
    adam_update([value], [updates], [m], [v], *how, t=2)
    # of updates 3.16 - 2.16 = 1: m = .28, v = .0496
    m_hat, v_hat = 0.28 / (1 - 0.81), 0.0496 / (1 - 0.9801)
    expected = 1.08 + 0.1 * m_hat / (v_hat**0.5 + 0.5)
    np.testing.assert_allclose([m[0], v[0], value[0]], [0.28, 0.0496, expected], rtol=1e-5)
    assert {array.dtype for array in (value, updates, m, v)} == {np.dtype(dtype)}


def test_adams_first_step_is_the_rate_whatever_the_scale() -> None:
    for scale in (1e-3, 1.0, 1e5):
        value, updates, m, v = np.zeros(2), np.array([scale, -scale]), np.zeros(2), np.zeros(2)
        adam_update([value], [updates], [m], [v], [0.01], 0.9, 0.999, 1e-12, [0.0], 64, 1)
        np.testing.assert_allclose(value, [0.01, -0.01], rtol=1e-6)


@DTYPES
def test_rmsprop_two_steps_by_hand(dtype: str) -> None:
    value, updates, v = np.array([1.0], dtype), np.array([4.0], dtype), np.zeros(1, dtype)
    how = [0.1], 0.75, 0.5, [1.0], 2
    rmsprop_update([value], [updates], [v], *how)
    # of updates 4 - 2 = 2: v = .25 * 4; value + .1 * 2 / (1 + .5)
    np.testing.assert_allclose([v[0], value[0]], [1, 1 + 0.2 / 1.5], rtol=1e-6)
    assert updates.tolist() == [0]
    updates[:] = 2 * value + 1
    rmsprop_update([value], [updates], [v], *how)
    expected = 1 + 0.2 / 1.5 + 0.1 / (1 + 0.5)
    np.testing.assert_allclose([v[0], value[0]], [1, expected], rtol=1e-6)
    assert {array.dtype for array in (value, updates, v)} == {np.dtype(dtype)}


def test_rmsprop_does_not_depend_on_the_scale() -> None:
    for scale in (1e-3, 1.0, 1e5):
        value, updates, v = np.zeros(2), np.array([scale, -scale]), np.zeros(2)
        rmsprop_update([value], [updates], [v], [0.01], 0.75, 1e-12, [0.0], 64)
        np.testing.assert_allclose(value, [0.02, -0.02], rtol=1e-6)


def test_is_finite() -> None:
    assert is_finite(np.ones((2, 3), np.float32))
    assert not is_finite(np.array([0, np.inf]))
    assert not is_finite(np.array([[0], [np.nan]]))


def test_clip() -> None:
    value = np.array([-3.0, -0.5, 0, 0.25, 7, np.nan])
    clip(value, 0.5)
    np.testing.assert_array_equal(value, [-0.5, -0.5, 0, 0.25, 0.5, np.nan])


@DTYPES
def test_average_step(dtype: str) -> None:
    average, value = np.array([1.0, 0.1], dtype), np.array([5.0, 0.1], dtype)
    equal = value[1].copy()
    average_step([average], [value], 0.75)
    assert average.tolist() == [2, equal]
    assert value.tolist() == [5, equal]
    assert average.dtype == dtype


@DTYPES
def test_swap(dtype: str) -> None:
    one, other = np.array([1.0, 2], dtype), np.array([3.0, 4], dtype)
    swap(one, other)
    assert (one.tolist(), other.tolist()) == ([3, 4], [1, 2])
