from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import check_loss

LOGISTIC = "[net]\nheight=2\nwidth=3\nchannels=4\n[logistic]\n"


@pytest.mark.parametrize("train", [True, False])
def test_gradients(train: bool) -> None:
    check_layer(LOGISTIC, train=train)


def test_the_losss_delta_is_its_gradient() -> None:
    truth = np.random.default_rng(4).random((3, 24))
    loss = check_loss(LOGISTIC, truth)
    (x,) = make_inputs(LOGISTIC, 3)
    p = 1 / (1 + np.exp(-x.transpose(0, 3, 1, 2).reshape(3, 24)))
    expected = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).sum()
    assert loss == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_are_finite(dtype: type) -> None:
    layer = make_layer("[net]\ninputs=4\n[logistic]\n")
    x: np.ndarray = np.array([-1e30, -100, 100, 1e30], dtype).reshape(1, 1, 1, 4)
    y = layer.forward(x, ops, True)[0]
    assert y.dtype == dtype
    assert (y.reshape(-1)[[0, 3]] == [0, 1]).all()
    loss, delta = layer.loss(y, 1 - y, ops)
    assert np.isfinite(loss)
    assert np.isfinite(delta).all()


def test_table() -> None:
    assert make_layer(LOGISTIC).describe() == "logistic x entropy                               24"
