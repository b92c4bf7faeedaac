from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from darknet_py.ops.activations import activate
from darknet_py.ops.dense import softmax
from darknet_py.ops.losses import (
    SECRET_NUM,
    absolute_error,
    batch_loss,
    logistic_cross_entropy,
    masked_squared_error,
    smooth_error,
    smooth_truth,
    softmax_cross_entropy,
    squared_error,
)
from tests.ops.windows import SEEDS
from tests.support.reference import random_array

Loss = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

SHAPE = 2, 1, 1, 5


def check_delta(loss: Loss, x: np.ndarray, share: float) -> None:
    """Asserts that the delta is -share times the loss's gradient, value by value."""
    before = x.copy()
    losses, delta = loss(x)
    assert losses.shape == (len(x), 1, 1, 1)
    np.testing.assert_array_equal(x, before)
    assert delta.shape == x.shape
    step = 1e-6
    for at in np.ndindex(*x.shape):
        ahead, back = x.copy(), x.copy()
        ahead[at] += step
        back[at] -= step
        gradient = (float(loss(ahead)[0].sum()) - float(loss(back)[0].sum())) / (2 * step)
        assert delta[at] == pytest.approx(-share * gradient, rel=1e-5, abs=1e-7)


def labels() -> np.ndarray:
    return np.eye(5)[[3, 0]].reshape(SHAPE)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@given(seed=SEEDS)
def test_softmax_cross_entropy(temperature: float, seed: int) -> None:
    """The delta is that of the softmax's input."""

    def loss(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return softmax_cross_entropy(softmax(x, 1, temperature), labels(), temperature)

    check_delta(loss, random_array(SHAPE, seed), 1)


@given(seed=SEEDS)
def test_logistic_cross_entropy(seed: int) -> None:
    """The delta is that of the logistic's input."""
    truth = np.abs(random_array(SHAPE, seed)) % 1

    def loss(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return logistic_cross_entropy(activate(x, "logistic"), truth)

    check_delta(loss, random_array(SHAPE, seed + 1), 1)


def away_from_kinks(y: np.ndarray, truth: np.ndarray) -> bool:
    size = np.abs(truth - y)
    return bool(min(size.min(), np.abs(size - 1).min()) > 1e-4)


@pytest.mark.parametrize(
    ("loss", "share"), [(squared_error, 0.5), (absolute_error, 1), (smooth_error, 0.5)]
)
@given(seed=SEEDS)
def test_errors(
    loss: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    share: float,
    seed: int,
) -> None:
    y, truth = 2 * random_array(SHAPE, seed), random_array(SHAPE, seed + 1)
    if away_from_kinks(y, truth):
        check_delta(lambda x: loss(x, truth), y, share)


@given(seed=SEEDS)
def test_masked_squared_error(seed: int) -> None:
    y, truth = random_array(SHAPE, seed), random_array(SHAPE, seed + 1)
    truth[0, 0, 0, 1:3] = SECRET_NUM
    check_delta(lambda x: masked_squared_error(x, truth), y, 0.5)
    loss, delta = masked_squared_error(y, truth)
    assert delta[0, 0, 0, 1:3].tolist() == [0, 0]
    known = truth != SECRET_NUM
    assert float(loss.sum()) == pytest.approx(((truth - y)[known] ** 2).sum())


def test_figures() -> None:
    y, truth = np.array([[[[0.25, 0.5, 0.25]]]]), np.array([[[[0.0, 1, 0]]]])
    assert softmax_cross_entropy(y, truth, 1.0)[0] == pytest.approx(np.log(2))
    expected = np.log(2) - 2 * np.log(0.75)
    assert logistic_cross_entropy(y, truth)[0] == pytest.approx(expected)
    y, truth = np.zeros((1, 1, 1, 3)), np.array([[[[0.5, -2, 0]]]])
    loss, delta = squared_error(y, truth)
    assert (loss.item(), delta.ravel().tolist()) == (4.25, [0.5, -2, 0])
    loss, delta = absolute_error(y, truth)
    assert (loss.item(), delta.ravel().tolist()) == (2.5, [1, -1, 0])
    loss, delta = smooth_error(y, truth)
    assert (loss.item(), delta.ravel().tolist()) == (3.25, [0.5, -1, 0])


def test_each_picture_has_its_loss() -> None:
    y, truth = random_array((3, 2, 2, 4), 0), random_array((3, 2, 2, 4), 1)
    losses, _ = squared_error(y, truth)
    each = [float(squared_error(y[[i]], truth[[i]])[0].item()) for i in range(3)]
    np.testing.assert_allclose(losses, np.reshape(each, (3, 1, 1, 1)))
    assert batch_loss(losses) == pytest.approx(sum(each))


def test_smooth_truth() -> None:
    truth = labels()
    np.testing.assert_array_equal(smooth_truth(truth, 0.0, 5), labels())
    smooth = smooth_truth(truth, 0.2, 5)
    np.testing.assert_allclose(smooth.reshape(2, 5)[0], [0.04, 0.04, 0.04, 0.84, 0.04])
    np.testing.assert_array_equal(truth, labels())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_certainty_is_finite(dtype: str) -> None:
    y, truth = np.array([[[[0, 1]]]], dtype), np.array([[[[1, 0]]]], dtype)
    for loss, delta in (
        softmax_cross_entropy(y, truth, 1.0),
        logistic_cross_entropy(y, truth),
    ):
        assert 80 < loss.item() < 1500
        assert delta.ravel().tolist() == [1, -1]
        assert delta.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_certainty_costs_nothing(dtype: str) -> None:
    y = np.array([[[[0, 1]]]], dtype)
    assert softmax_cross_entropy(y, y, 1.0)[0].item() == 0
    assert logistic_cross_entropy(y, y)[0].item() == 0
