from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = "[net]\nheight=4\nwidth=5\nchannels=2\n[convolutional]\nfilters=3\n"
CHANNELS = NET + "[avgpool]\n[scale_channels]\n"
PIXELS = NET + "[convolutional]\nfilters=1\n[scale_channels]\nscale_wh=1\n"
KEYS = pytest.mark.parametrize("keys", ["from=-2", "from=0\nactivation=tanh"])


@KEYS
@pytest.mark.parametrize("net", [CHANNELS, PIXELS])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(net: str, keys: str, train: bool) -> None:
    check_layer(net + keys, train=train)


@pytest.mark.parametrize("net", [CHANNELS, PIXELS])
def test_factors_of_channels_or_of_pixels(net: str) -> None:
    text = net + "from=0\nactivation=leaky"
    layer, (x, other) = make_layer(text), make_inputs(text)
    assert layer.inputs == (1, 0)
    assert layer.out_shape == (4, 5, 3)
    y = layer.forward(x, other, ops, False)[0]
    product = x * other
    np.testing.assert_allclose(y, np.maximum(product, 0.1 * product), rtol=1e-12)


def test_table() -> None:
    assert make_layer(CHANNELS + "from=0").describe() == (
        "scale   0                  1 x   1 x   3   ->     5 x   4 x   3"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CHANNELS,
            ":8: [scale_channels] from= is missing: expected a layer's number, as in from=-4",
        ),
        (
            CHANNELS + "from=2",
            ":9: [scale_channels] from=2: there is no such layer before layer 2",
        ),
        (
            NET + "[scale_channels]\nfrom=0",
            ":8: [scale_channels] layer 0 gives 5 x 4 x 3, layer 0 5 x 4 x 3: expected 1 x 1 x 3 "
            "factors",
        ),
        (
            CHANNELS + "from=0\nscale_wh=1",
            ":9: [scale_channels] layer 0 gives 5 x 4 x 3, layer 1 1 x 1 x 3: expected 5 x 4 x 1 "
            "factors",
        ),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    assert mistake(text) == "<text>" + message
