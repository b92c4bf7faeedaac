from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = (
    "[net]\nheight=4\nwidth=5\nchannels=2\n[convolutional]\nfilters=3\n"
    "[convolutional]\nfilters=3\n[maxpool]\nstride=2\n[upsample]\n[sam]\n"
)


@pytest.mark.parametrize("keys", ["from=1", "from=-4\nactivation=tanh", "from=-1"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(NET.replace("width=5", "width=6") + keys, train=train)


def test_maps_are_multiplied() -> None:
    text = NET.replace("width=5", "width=6") + "from=1\nactivation=relu"
    layer, (x, other) = make_layer(text), make_inputs(text)
    assert layer.inputs == (3, 1)
    y = layer.forward(x, other, ops, False)[0]
    np.testing.assert_allclose(y, np.maximum(x * other, 0), rtol=1e-12)


def test_table() -> None:
    assert make_layer(NET + "from=-1").describe() == (
        "sam     3                  6 x   4 x   3   ->     6 x   4 x   3"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", ":12: [sam] from= is missing: expected a layer's number, as in from=-2"),
        ("from=4", ":13: [sam] from=4: there is no such layer before layer 4"),
        (
            "from=0",
            ":13: [sam] layer 0 gives 5 x 4 x 3, layer 3 6 x 4 x 3: expected one shape",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(NET + keys) == "<text>" + message
