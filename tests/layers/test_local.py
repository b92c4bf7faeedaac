from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers.base import Wanted
from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake, warnings

NET = "[net]\nheight=5\nwidth=4\nchannels=3\n"
LOCAL = NET + "[local]\nactivation=linear\n"

WINDOWS = ["filters=2", "filters=2\nsize=3\npad=1", "filters=2\nsize=3\nstride=2\npad=1", "size=4"]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(window: str, train: bool) -> None:
    check_layer(LOCAL + window, train=train)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_every_activation(activation: str) -> None:
    check_layer(f"{NET}[local]\nfilters=2\nsize=3\nactivation={activation}")


def test_each_place_has_its_own_filters() -> None:
    text = LOCAL + "filters=2\nsize=3\nstride=2\npad=1"
    layer, (x,) = make_layer(text), make_inputs(text)
    biases, weights = layer.parameters()
    # As a file has them: biases (filters, h, w), weights (h, w, filters, c, size, size).
    file_biases = biases.to_file(biases.value).reshape(2, 3, 2)
    file_weights = weights.to_file(weights.value).reshape(3, 2, 2, 3, 3, 3)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))).transpose(0, 3, 1, 2)
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, 3, 2, 2)
    for i in range(3):
        for j in range(2):
            window = padded[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            expected = np.tensordot(window, file_weights[i, j], ((1, 2, 3), (1, 2, 3)))
            np.testing.assert_allclose(y[:, i, j], expected + file_biases[:, i, j], rtol=1e-9)


def test_an_input_delta_that_nobody_wants_is_not_computed() -> None:
    layer, (x,) = make_layer(LOCAL), make_inputs(LOCAL)
    y, saved = layer.forward(x, ops, True)
    assert layer.backward(y, saved, ops, Wanted(input_deltas=False, updates=True)) == [None]


def test_parameters_in_the_order_of_a_file() -> None:
    layer = make_layer(LOCAL + "filters=2\nsize=3")
    assert [(p.name, p.shape, p.learned, p.decay) for p in layer.parameters()] == [
        ("biases", (3, 2, 2), True, False),
        ("weights", (3, 2, 2, 3, 3, 3), True, True),
    ]


def test_table() -> None:
    layer = make_layer(LOCAL + "filters=2\nsize=3")
    assert layer.describe() == "local                      4 x   5 x   3   ->     2 x   3 x   2"
    assert layer.operations() == 2 * (3 * 2) * 2 * (3 * 3 * 3)


def test_pad_is_any_number_but_0() -> None:
    text = LOCAL + "filters=2\nsize=3\npad=3"
    assert make_layer(text).out_shape == (5, 4, 2)
    assert len(warnings(text)) == 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("filters=0", ":6: [local] filters=0: expected a whole number of 1 or more"),
        (
            "size=5",
            ":5: [local] a 4 x 5 x 3 input gives a 0 x 1 x 1 output: expected at least 1 x 1 x 1",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(f"{NET}[local]\n{keys}") == "<text>" + message
