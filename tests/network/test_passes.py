"""Pictures that count more or less than others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.network import Network
from tests.support.networks import CPU, FLOAT64, make_network

BODY = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n[maxpool]\nstride=2\n"
    "[convolutional]\nfilters=3\nactivation=linear\n[avgpool]\n"
)
ENDS = {
    "softmax": "[softmax]\nsmooth=0.2\n",
    "softmax, cost": "[softmax]\nsmooth=0.2\n[cost]\nsmooth=0.2\n",
    "logistic": "[logistic]\nsmooth=0.2\n",
    "sse": "[cost]\n",
    "smooth": "[cost]\ntype=smooth\nscale=0.5\n",
}


def make(end: str, batch: int, ops: Any = FLOAT64, subdivisions: int = 1) -> Network:
    net = f"[net]\nheight=6\nwidth=8\nchannels=2\nbatch={batch}\nsubdivisions={subdivisions}\n"
    return make_network(net + BODY + ENDS[end], ops)


def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, and truths of which some are mixed."""
    rng = np.random.default_rng(5)
    share = rng.choice([0, 0.3], (n, 1))
    one, other = (np.eye(3)[rng.integers(0, 3, n)] for _ in range(2))
    return rng.random((n, 2, 6, 8)).astype(np.float32), (1 - share) * one + share * other


def learned(net: Network, *batch: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The loss, summed over the batch, and the updates."""
    loss = net.accumulate(*batch) * len(batch[0])
    updates = [parameter.updates.copy() for parameter in net.parameters() if parameter.learned]
    for parameter in net.parameters():
        parameter.updates = None
    return loss, updates


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("subdivisions", [1, 2])
def test_a_weight_of_2_is_a_picture_that_is_there_twice(end: str, subdivisions: int) -> None:
    x, y = drawn(4)
    weights = np.array([2.0, 1, 0, 3])
    loss, updates = learned(make(end, 4, subdivisions=subdivisions), x, y, weights)
    again = np.repeat(np.arange(4), weights.astype(int))
    expected_loss, expected = learned(make(end, 6, subdivisions=subdivisions), x[again], y[again])
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    for found, wanted in zip(updates, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("end", ["softmax", "logistic"])
def test_updates_are_the_gradient_of_the_weighted_loss(end: str) -> None:
    x, y = drawn(3)
    weights, step = np.array([0.4, 2.5, 1.1]), 1e-6
    net = make(end, 3)
    _, updates = learned(net, x, y, weights)
    for parameter, found in zip(net.parameters(), updates, strict=True):
        at = np.unravel_index(found.size // 2, found.shape)
        value = parameter.value[at]
        losses = []
        for moved in (value + step, value - step):
            parameter.value[at] = moved
            losses.append(learned(net, x, y, weights)[0])
        parameter.value[at] = value
        assert found[at] == pytest.approx((losses[1] - losses[0]) / (2 * step), rel=1e-5)


def test_weights_of_1_change_nothing() -> None:
    x, y = drawn(4)
    ones = np.ones(4, np.float32)
    for ops in (CPU, FLOAT64):
        loss, updates = learned(make("softmax", 4, ops), x, y, ones)
        expected_loss, expected = learned(make("softmax", 4, ops), x, y)
        assert loss == expected_loss
        for found, wanted in zip(updates, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dropout", ["", "[dropout]\nprobability=0\n"])
def test_programs_and_layers_one_by_one_heed_weights(dropout: str) -> None:
    """By the program, and in float64 by the plain functions."""
    x, y = drawn(4)
    weights = np.array([2, 1, 0.5, 3], np.float32)
    text = "[net]\nheight=6\nwidth=8\nchannels=2\nbatch=4\n" + dropout + BODY + ENDS["softmax"]
    loss, updates = learned(make_network(text, CPU), x, y.astype(np.float32), weights)
    expected_loss, expected = learned(make("softmax", 4), x, y, weights)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for found, wanted in zip(updates, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_with_and_without_weights_in_turns() -> None:
    """Each has a program of its own."""
    x, y = drawn(4)
    net, weights = make("softmax", 4, CPU), np.array([5, 0, 0, 0], np.float32)
    plain, weighted = learned(net, x, y)[0], learned(net, x, y, weights)[0]
    assert abs(plain - weighted) > 1e-3
    assert learned(net, x, y)[0] == plain
    assert learned(net, x, y, weights)[0] == weighted


@pytest.mark.parametrize("shape", [(3,), (4, 1), ()])
def test_there_is_a_weight_for_each_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"expected weights of shape \(4,\), found \("):
        make("softmax", 4).train_step(*drawn(4), np.ones(shape))
