from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

ACTIVATION = "[net]\nheight=5\nwidth=6\nchannels=4\n[activation]\n"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(activation: str, train: bool) -> None:
    check_layer(f"{ACTIVATION}activation={activation}", train=train)


def test_linear_is_the_default() -> None:
    (x,) = make_inputs(ACTIVATION)
    np.testing.assert_array_equal(make_layer(ACTIVATION).forward(x, ops, False), x)


def test_the_activation_is_the_one_asked_for() -> None:
    (x,) = make_inputs(ACTIVATION)
    y = make_layer(ACTIVATION + "activation=tanh").forward(x, ops, False)
    np.testing.assert_array_equal(y, np.tanh(x))


def test_table() -> None:
    assert make_layer(ACTIVATION).describe() == (
        "activation                 6 x   5 x   4   ->     6 x   5 x   4"
    )


def test_mistakes_are_named() -> None:
    assert mistake(ACTIVATION + "activation=RELU") == (
        "<text>:6: [activation] activation=RELU: expected one of elu, hardtan, leaky, lhtan, "
        "linear, loggy, logistic, plse, ramp, relie, relu, selu, stair, tanh"
    )
