from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import ACTIVATIONS
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
    "expected one of elu, hardtan, leaky, lhtan, linear, loggy, logistic, plse, ramp, relie, relu, "
    "selu, stair, tanh"
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


@pytest.mark.parametrize("name", ["mish", "swish", "normalize_channels", "silu"])
def test_what_only_the_other_program_computes_is_refused(name: str) -> None:
    message = f"<text>:6: [activation] activation={name} is not computed here: {KNOWN}"
    assert mistake(f"{ACTIVATION}activation={name}") == message
