from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers.base import Wanted
from tests.support.gradients import check_layer, make_inputs, make_layer, ops

L2NORM = "[net]\nheight=3\nwidth=4\nchannels=5\n[l2norm]\n"


@pytest.mark.parametrize("train", [True, False])
def test_gradients(train: bool) -> None:
    check_layer(L2NORM, train=train)


def test_each_pixel_has_length_1() -> None:
    layer, (x,) = make_layer(L2NORM), make_inputs(L2NORM)
    y = layer.forward(x, ops, False)[0]
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), np.ones((2, 3, 4)))
    np.testing.assert_allclose(y[1, 2, 3], x[1, 2, 3] / np.linalg.norm(x[1, 2, 3]))


def test_a_zero_pixel_stays_zero() -> None:
    layer = make_layer(L2NORM)
    x = np.zeros((1, 3, 4, 5))
    y, saved = layer.forward(x, ops, True)
    np.testing.assert_array_equal(y, x)
    (x_delta,) = layer.backward(
        np.ones_like(x), saved, ops, Wanted(input_deltas=True, updates=True)
    )
    assert np.isfinite(x_delta).all()


def test_table() -> None:
    assert make_layer(L2NORM).describe() == "l2norm                                           60"
