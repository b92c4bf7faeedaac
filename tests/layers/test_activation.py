from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import ACTIVATIONS, FROM_INPUT
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake, warnings

ACTIVATION = "[net]\nheight=5\nwidth=6\nchannels=4\n[activation]\n"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(activation: str, train: bool) -> None:
    check_layer(f"{ACTIVATION}activation={activation}", train=train)


def test_linear_is_the_default() -> None:
    (x,) = make_inputs(ACTIVATION)
    np.testing.assert_array_equal(make_layer(ACTIVATION).forward(x, ops, False)[0], x)


def test_the_activation_is_the_one_asked_for() -> None:
    (x,) = make_inputs(ACTIVATION)
    y = make_layer(ACTIVATION + "activation=tanh").forward(x, ops, False)[0]
    np.testing.assert_array_equal(y, np.tanh(x))


def test_table() -> None:
    assert make_layer(ACTIVATION).describe() == (
        "activation                 6 x   5 x   4   ->     6 x   5 x   4"
    )


KNOWN = (
    "expected one of elu, gelu, hard_mish, hardtan, leaky, lhtan, linear, loggy, logistic, mish, "
    "normalize_channels, normalize_channels_softmax, normalize_channels_softmax_maxval, plse, "
    "ramp, relie, relu, relu6, revleaky, selu, stair, swish, tanh"
)


@pytest.mark.parametrize("name", ["RELU", "softplus", "leaky,relu", "3"])
def test_a_name_that_no_c_program_knows_is_relu(name: str) -> None:
    text = f"{ACTIVATION}activation={name}"
    (x,) = make_inputs(text)
    np.testing.assert_array_equal(make_layer(text).forward(x, ops, False)[0], np.maximum(x, 0))
    assert warnings(text) == [
        f"<text>:6: [activation] activation={name} is unknown and read as relu: {KNOWN}"
    ]


@pytest.mark.parametrize("comment", ["# as in YOLO", "#why", "\t# a, b"])
def test_a_comment_is_part_of_the_name(comment: str) -> None:
    text = f"{ACTIVATION}activation=tanh {comment}"
    (x,) = make_inputs(text)
    np.testing.assert_array_equal(make_layer(text).forward(x, ops, False)[0], np.maximum(x, 0))
    (warning,) = warnings(text)
    assert warning.startswith("<text>:6: [activation] activation=tanh#")
    assert warning.endswith("the comment is part of the name: move it to a line of its own")


def test_what_only_forks_compute_is_refused() -> None:
    message = f"<text>:6: [activation] activation=prelu is not computed here: {KNOWN}"
    assert mistake(f"{ACTIVATION}activation=prelu") == message


def test_silu_is_swish() -> None:
    (x,) = make_inputs(ACTIVATION)
    y = make_layer(ACTIVATION + "activation=silu").forward(x, ops, False)[0]
    np.testing.assert_allclose(y, x / (1 + np.exp(-x)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_map_alone_is_kept(activation: str) -> None:
    """The input where the derivative is of the input, else the output."""
    (x,) = make_inputs(ACTIVATION)
    y, saved = make_layer(f"{ACTIVATION}activation={activation}").forward(x, ops, True)
    assert saved is (x if activation in FROM_INPUT else y)
