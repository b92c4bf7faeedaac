from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers.base import Wanted
from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = "[net]\nheight=3\nwidth=4\nchannels=2\n"
CONNECTED = NET + "[connected]\n"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_normalize", [0, 1])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(activation: str, batch_normalize: int, train: bool) -> None:
    keys = f"output=5\nactivation={activation}\nbatch_normalize={batch_normalize}"
    check_layer(CONNECTED + keys, train=train, n=4)


def test_gradients_of_a_vector() -> None:
    check_layer("[net]\ninputs=7\n[connected]\noutput=3")


def test_every_output_reads_every_input() -> None:
    text = CONNECTED + "output=5\nactivation=linear"
    layer, (x,) = make_layer(text), make_inputs(text)
    biases, weights = layer.parameters()
    # A file's weights go with darknet's order, (c, h, w).
    stored = weights.to_file(weights.value).reshape(5, 2 * 3 * 4)
    expected = x.transpose(0, 3, 1, 2).reshape(2, -1) @ stored.T + biases.value
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, 1, 1, 5)
    np.testing.assert_allclose(y.reshape(2, 5), expected, rtol=1e-12)


def test_an_input_delta_that_nobody_wants_is_not_computed() -> None:
    layer, (x,) = make_layer(CONNECTED), make_inputs(CONNECTED)
    y, saved = layer.forward(x, ops, True)
    assert layer.backward(y, saved, ops, Wanted(input_deltas=False, updates=True)) == [None]


def test_parameters_in_the_order_of_a_file() -> None:
    layer = make_layer(CONNECTED + "output=5\nbatch_normalize=1")
    assert [(p.name, p.shape, p.learned, p.decay) for p in layer.parameters()] == [
        ("biases", (5,), True, False),
        ("weights", (5, 24), True, True),
        ("scales", (5,), True, False),
        ("rolling_mean", (5,), False, False),
        ("rolling_variance", (5,), False, False),
    ]


def test_defaults() -> None:
    layer = make_layer(NET + "[conn]")
    assert layer.kind == "connected"
    assert layer.out_shape == (1, 1, 1)
    assert len(layer.parameters()) == 2
    y = layer.forward(np.zeros((1, 3, 4, 2)), ops, False)[0]
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-layer.parameters()[0].value[0])))


def test_table() -> None:
    layer = make_layer(CONNECTED + "output=50")
    assert layer.describe() == "connected                              24  ->    50"
    assert layer.operations() == 2 * 24 * 50


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("output=0", "output=0: expected a whole number of 1 or more"),
        ("output=x", "output=x: expected a whole number of 1 or more"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(CONNECTED + keys) == f"<text>:6: [connected] {message}"
