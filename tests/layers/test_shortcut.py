from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake
from tests.support.networks import make_network, pictures, truths


def shortcut(first: str, second: str, keys: str = "from=0") -> str:
    """Two convolutions of `filters,stride` each, and a shortcut from the first."""
    layers = ""
    for shape in (first, second):
        filters, stride = shape.split(",")
        layers += f"[convolutional]\nfilters={filters}\nstride={stride}\n"
    return f"[net]\nheight=12\nwidth=18\nchannels=2\n{layers}[shortcut]\n{keys}"


SIZES = {
    "equal": shortcut("3,1", "3,1"),
    "more channels": shortcut("5,1", "3,1"),
    "fewer channels": shortcut("3,1", "5,1"),
    "larger": shortcut("3,1", "5,2"),
    "three times as large": shortcut("3,1", "2,3"),
    "smaller": shortcut("3,2", "4,1").replace("[shortcut]", "[upsample]\n[shortcut]"),
    "a third": shortcut("3,3", "2,1").replace("[shortcut]", "[upsample]\nstride=3\n[shortcut]"),
}


@pytest.mark.parametrize("text", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("train", [True, False])
def test_gradients(text: str, train: bool) -> None:
    check_layer(text, train=train)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_every_activation(activation: str) -> None:
    check_layer(shortcut("3,1", "5,2", f"from=-2\nactivation={activation}\nalpha=.5\nbeta=2"))


def test_gradients_of_a_map_added_to_itself() -> None:
    check_layer(shortcut("3,1", "5,2", "from=-1"))


@pytest.mark.parametrize("text", SIZES.values(), ids=SIZES.keys())
def test_sums_are_those_of_the_c_programs_loops(text: str) -> None:
    text += "\nalpha=.5\nbeta=3"
    layer, (x, other) = make_layer(text), make_inputs(text)
    before = x.copy()
    y = layer.forward(x, other, ops, False)[0]
    _, h, w, c = x.shape
    _, other_h, other_w, other_c = other.shape
    stride, sample = max(other_w // w, 1), max(w // other_w, 1)
    expected = before.copy()
    for i in range(min(h, other_h)):
        for j in range(min(w, other_w)):
            for k in range(min(c, other_c)):
                there = expected[:, i * sample, j * sample, k]
                expected[:, i * sample, j * sample, k] = (
                    0.5 * there + 3 * other[:, i * stride, j * stride, k]
                )
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert not np.allclose(y, before)


SEVERAL = (
    "[net]\nheight=3\nwidth=4\nchannels=2\n[convolutional]\nfilters=3\n"
    "[convolutional]\nfilters=7\n[convolutional]\nfilters=5\n[shortcut]\n"
)
FROM = ("from=0", "from=1", "from=0,1", "from=-2,-3,-1\nactivation=tanh")


@pytest.mark.parametrize("keys", FROM)
@pytest.mark.parametrize("train", [True, False])
def test_gradients_of_several(keys: str, train: bool) -> None:
    check_layer(SEVERAL + keys, train=train)


@pytest.mark.parametrize("keys", FROM)
@pytest.mark.parametrize("kind", ["per_feature", "per_layer", "per_channel"])
@pytest.mark.parametrize("normalization", ["relu", "avg_relu", "softmax"])
def test_gradients_of_weights(keys: str, kind: str, normalization: str) -> None:
    weights = f"\nweights_type={kind}\nweights_normalization={normalization}"
    check_layer(SEVERAL + keys + weights)


def test_several_maps_are_added_as_far_as_their_channels_go() -> None:
    text = SEVERAL + "from=0,1"
    layer, (x, narrow, wide) = make_layer(text), make_inputs(text)
    y = layer.forward(x, narrow, wide, ops, False)[0]
    expected = x + wide[..., :5]
    expected[..., :3] += narrow
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_weights_begin_as_1_and_only_they_are_learned() -> None:
    keys = "from=0,1\nweights_type=per_channel\nweights_normalization=relu"
    network = make_network(SEVERAL + keys)
    (weights,) = network.layers[-1].parameters()
    assert weights.shape == (3, 5)
    assert weights.decay
    np.testing.assert_array_equal(weights.value, np.ones((3, 5)))
    x = pictures(network)
    first, second, third, y = network.activations(x)
    third[:, :3] += first
    np.testing.assert_allclose(y, (third + second[:, :5]) / 3.0001, rtol=1e-5, atol=1e-6)


def test_weights_learn() -> None:
    end = "[avgpool]\n[softmax]\n"
    keys = "from=0,1\nweights_type=per_feature\nweights_normalization=softmax\n"
    network = make_network(SEVERAL + keys + end)
    (weights,) = network.layers[3].parameters()
    x, y = pictures(network), truths(network)
    losses = [network.train_step(x, y) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert (weights.value != 1).all()


def test_the_layer_may_be_counted_from_the_start() -> None:
    assert make_layer(shortcut("3,1", "3,1", "from=0")).inputs == (1, 0)
    assert make_layer(shortcut("3,1", "3,1", "from=-2")).inputs == (1, 0)


def test_table() -> None:
    assert make_layer(SIZES["larger"]).describe() == (
        "res    0                  18 x  12 x   3   ->     9 x   6 x   5"
    )
    assert make_layer(SEVERAL + "from=0,1").describe() == (
        "res    0   1               4 x   3 x   3   ->     4 x   3 x   5"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", ":11: [shortcut] from= is missing: expected a layer's number, as in from=-3"),
        ("from=-3", ":12: [shortcut] from=-3: there is no such layer before layer 2"),
        ("from=2", ":12: [shortcut] from=2: there is no such layer before layer 2"),
        ("from=1,5", ":12: [shortcut] from=5: there is no such layer before layer 2"),
        ("from=1,0\nbeta=2", ":13: [shortcut] beta is for one layer, without weights"),
        (
            "from=0\nalpha=2\nweights_type=per_channel\nweights_normalization=relu",
            ":13: [shortcut] alpha is for one layer, without weights",
        ),
        (
            "from=0\nweights_type=each",
            ":13: [shortcut] weights_type=each: expected one of none, per_channel, per_feature, "
            "per_layer",
        ),
        (
            "from=0\nweights_type=per_layer\nweights_normalization=sum",
            ":14: [shortcut] weights_normalization=sum: expected one of avg_relu, none, relu, "
            "softmax",
        ),
        ("from=0\nalpha=inf", ":13: [shortcut] alpha=inf: expected a number"),
        (
            "from=0\nweights_type=per_feature",
            ":13: [shortcut] weights_type=per_feature without weights_normalization: expected relu "
            "or softmax",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(shortcut("3,1", "3,1", keys)) == "<text>" + message
