from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers.base import Wanted
from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake, warnings

NET = "[net]\nheight=5\nwidth=6\nchannels=4\n"
CONV = NET + "[convolutional]\nactivation=linear\n"

WINDOWS = [
    "filters=3",
    "filters=3\nsize=3\npad=1",
    "filters=3\nsize=3",
    "filters=3\nsize=2\npad=1",
    "filters=3\nsize=3\nstride=2\npad=1",
    "filters=2\nsize=1\nstride=2\npadding=1",
    "filters=2\nsize=5\nstride=3\npadding=4",
    "filters=2\nsize=5",
    "filters=4\nsize=3\npad=1\ngroups=2",
    "filters=8\nsize=3\nstride=2\npad=1\ngroups=4",
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(window: str, train: bool) -> None:
    check_layer(CONV + window, train=train)


@pytest.mark.parametrize("window", WINDOWS[1:9:3])
@pytest.mark.parametrize("train", [True, False])
def test_gradients_with_batch_normalize(window: str, train: bool) -> None:
    check_layer(f"{CONV}{window}\nbatch_normalize=1", train=train)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_normalize", [0, 1])
def test_gradients_of_every_activation(activation: str, batch_normalize: int) -> None:
    keys = f"filters=3\nsize=3\nbatch_normalize={batch_normalize}\nactivation={activation}"
    check_layer(f"{NET}[convolutional]\n{keys}")


def test_a_size_1_window_keeps_to_its_stride_and_padding() -> None:
    text = CONV + "filters=3\nstride=2\npadding=1"
    layer, (x,) = make_layer(text), make_inputs(text)
    weights, biases = (p.value for p in reversed(layer.parameters()))
    y = layer.forward(x, ops, False)
    assert y.shape == (2, 4, 4, 3)
    expected = np.zeros((2, 4, 4, 3))
    expected[:, 1:3, 1:] = x[:, 1::2, 1::2] @ weights.reshape(3, 4).T
    np.testing.assert_allclose(y, expected + biases, rtol=1e-12)


def test_an_input_delta_that_nobody_wants_is_not_computed() -> None:
    layer, (x,) = make_layer(CONV), make_inputs(CONV)
    y = layer.forward(x, ops, True)
    assert layer.backward(y, ops, Wanted(input_deltas=False, updates=True)) == [None]


def test_defaults() -> None:
    layer = make_layer(NET + "[conv]")
    assert layer.kind == "convolutional"
    assert layer.out_shape == (5, 6, 1)
    assert [p.name for p in layer.parameters()] == ["biases", "weights"]
    x = np.zeros((1, 5, 6, 4))
    np.testing.assert_allclose(
        layer.forward(x, ops, False), 1 / (1 + np.exp(-layer.parameters()[0].value[0]))
    )


def test_pad_is_a_flag_and_beats_padding() -> None:
    assert make_layer(CONV + "size=5\npad=1").out_shape == (5, 6, 1)
    assert make_layer(CONV + "size=5\npad=1\npadding=9").out_shape == (5, 6, 1)
    assert make_layer(CONV + "size=5\npadding=1").out_shape == (3, 4, 1)


@pytest.mark.parametrize("pad", ["2", "-1", "7x"])
def test_pad_is_any_number_but_0(pad: str) -> None:
    text = f"{CONV}size=5\npad={pad}"
    assert make_layer(text).out_shape == (5, 6, 1)
    assert warnings(text) == [
        f"<text>:8: [convolutional] pad={pad} is read as padding=2, size // 2"
    ]
    assert make_layer(f"{CONV}size=5\npad=x").out_shape == (1, 2, 1)


def test_parameters_in_the_order_of_a_file() -> None:
    layer = make_layer(CONV + "filters=6\nsize=3\ngroups=2\nbatch_normalize=1")
    assert [(p.name, p.shape, p.learned, p.decay) for p in layer.parameters()] == [
        ("biases", (6,), True, False),
        ("scales", (6,), True, False),
        ("rolling_mean", (6,), False, False),
        ("rolling_variance", (6,), False, False),
        ("weights", (6, 3, 3, 2), True, True),
    ]


def test_table() -> None:
    text = CONV + "filters=16\nsize=3\nstride=2\npad=1\ngroups=2"
    layer = make_layer(text)
    assert layer.describe() == "conv     16  3 x 3 / 2     6 x   5 x   4   ->     3 x   3 x  16"
    assert layer.operations() == 2 * 16 * 3 * 3 * 2 * 3 * 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("filters=0", "filters=0: expected a whole number of 1 or more"),
        ("stride=0", "stride=0: expected a whole number of 1 or more"),
        ("padding=-1", "padding=-1: expected a whole number of 0 or more"),
        ("groups=3", "groups=3: expected a divisor of the 1 filters"),
        ("groups=0", "groups=0: expected a whole number of 1 or more"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(f"{NET}[convolutional]\n{keys}") == f"<text>:6: [convolutional] {message}"


def test_mistakes_that_need_two_lines_are_named() -> None:
    assert mistake(NET + "[conv]\nfilters=6\ngroups=3") == (
        "<text>:7: [conv] groups=3: expected a divisor of the 4 input channels"
    )
    assert mistake(NET + "[conv]\nsize=6") == (
        "<text>:5: [conv] a 6 x 5 x 4 input gives a 1 x 0 x 1 output: expected at least 1 x 1 x 1"
    )
