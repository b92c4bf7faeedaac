from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import ACTIVATIONS
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake


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


def test_the_layer_may_be_counted_from_the_start() -> None:
    assert make_layer(shortcut("3,1", "3,1", "from=0")).inputs == (1, 0)
    assert make_layer(shortcut("3,1", "3,1", "from=-2")).inputs == (1, 0)


def test_table() -> None:
    assert make_layer(SIZES["larger"]).describe() == (
        "res    0                  18 x  12 x   3   ->     9 x   6 x   5"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", ":11: [shortcut] from= is missing: expected a layer's number, as in from=-3"),
        ("from=-3", ":12: [shortcut] from=-3: there is no such layer before layer 2"),
        ("from=2", ":12: [shortcut] from=2: there is no such layer before layer 2"),
        ("from=1,0", ":12: [shortcut] from: more than one layer is not computed here"),
        ("from=0\nalpha=inf", ":13: [shortcut] alpha=inf: expected a number"),
        (
            "from=0\nweights_type=per_feature",
            ":13: [shortcut] weights_type=per_feature changes what the network answers, and is not "
            "computed here",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(shortcut("3,1", "3,1", keys)) == "<text>" + message
