from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import check_loss, mistake

MAP = "[net]\nheight=2\nwidth=3\nchannels=4\n[softmax]\n"
VECTOR = "[net]\ninputs=6\n[softmax]\n"

SOFTMAXES = [
    VECTOR,
    VECTOR + "groups=3",
    VECTOR + "temperature=2.5",
    VECTOR + "groups=2\ntemperature=.5",
    MAP,
    MAP + "groups=6",
    MAP + "spatial=1",
    MAP + "spatial=1\ngroups=2\ntemperature=3",
]


@pytest.mark.parametrize("text", SOFTMAXES)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(text: str, train: bool) -> None:
    check_layer(text, train=train)


@pytest.mark.parametrize("text", SOFTMAXES)
def test_the_losss_delta_is_its_gradient(text: str) -> None:
    rng = np.random.default_rng(4)
    layer = make_layer(text)
    truth = rng.random((3, layer.out_shape.size))
    # truth - y is the gradient where each softmax's truths sum to 1.
    h, w, c = layer.out_shape
    groups = int(text.partition("groups=")[2].partition("\n")[0] or 1)
    grid = truth.reshape(3, groups, c // groups, h, w)
    grid /= grid.sum(axis=2, keepdims=True)
    loss = check_loss(text, truth)
    y = layer.forward(*make_inputs(text, 3), ops, True)[0]
    expected = -(truth * np.log(ops.to_chw(y).reshape(3, -1))).sum()
    assert loss == pytest.approx(expected, rel=1e-12)


def test_each_group_sums_to_1() -> None:
    text = VECTOR + "groups=2\ntemperature=2"
    (x,) = make_inputs(text)
    y = make_layer(text).forward(x, ops, False)[0]
    raised = np.exp(x / 2).reshape(2, 2, 3)
    np.testing.assert_allclose(
        y.reshape(2, 2, 3), raised / raised.sum(-1, keepdims=True), rtol=1e-12
    )


def test_a_map_is_flattened_in_darknets_order() -> None:
    layer, (x,) = make_layer(MAP), make_inputs(MAP)
    assert layer.out_shape == (1, 1, 24)
    assert layer.is_vector
    flat = np.exp(x.transpose(0, 3, 1, 2).reshape(2, -1))
    expected = flat / flat.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(layer.forward(x, ops, False)[0].reshape(2, -1), expected, rtol=1e-12)


def test_groups_of_a_map_are_channels_in_darknets_order() -> None:
    text = MAP + "groups=4"
    y = make_layer(text).forward(*make_inputs(text), ops, False)[0]
    np.testing.assert_allclose(y.reshape(2, 4, 6).sum(axis=2), 1)


def test_spatial_keeps_the_map() -> None:
    text = MAP + "spatial=1"
    layer = make_layer(text)
    assert layer.out_shape == (2, 3, 4)
    assert not layer.is_vector
    y = layer.forward(*make_inputs(text), ops, False)[0]
    np.testing.assert_allclose(y.sum(axis=-1), np.ones((2, 2, 3)))


def test_large_scores_do_not_overflow() -> None:
    y = make_layer(VECTOR).forward(
        np.array([1e30, 0, -1e30, 1e30, 9, 9]).reshape(1, 1, 1, 6), ops, 0
    )[0]
    np.testing.assert_array_equal(y.reshape(-1), [0.5, 0, 0, 0.5, 0, 0])


def test_a_wrong_certainty_has_a_finite_loss() -> None:
    layer = make_layer(VECTOR)
    y = layer.forward(np.array([1e5, 0, 0, 0, 0, 0], np.float32).reshape(1, 1, 1, 6), ops, True)[0]
    truth = np.array([0, 1, 0, 0, 0, 0], np.float32).reshape(1, 1, 1, 6)
    loss, delta = layer.loss(y, truth, ops)
    assert 80 < loss < 100
    np.testing.assert_array_equal(delta.reshape(-1), [-1, 1, 0, 0, 0, 0])


def test_noloss_ends_no_network() -> None:
    assert make_layer(VECTOR).is_loss
    assert not make_layer(VECTOR + "noloss=1").is_loss


def test_table() -> None:
    layer = make_layer(MAP.replace("[softmax]", "[soft]"))
    assert layer.kind == "softmax"
    assert layer.describe() == "softmax                                          24"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MAP + "groups=5", "groups=5: expected a divisor of the 24 inputs"),
        (VECTOR + "groups=0", "groups=0: expected a whole number of 1 or more"),
        (VECTOR + "temperature=0", "temperature=0: expected a number of 1e-06 or more"),
        (
            VECTOR + "tree=data/9k.tree",
            "tree=data/9k.tree changes what the network answers, and is not computed here",
        ),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    line = text.count("\n") + 1
    assert mistake(text) == f"<text>:{line}: [softmax] {message}"


def test_groups_of_a_spatial_softmax_are_of_channels() -> None:
    assert mistake(MAP + "spatial=1\ngroups=3") == (
        "<text>:7: [softmax] groups=3: expected a divisor of the 4 inputs"
    )
