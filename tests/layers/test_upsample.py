from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

UPSAMPLE = "[net]\nheight=6\nwidth=9\nchannels=2\n[upsample]\n"


@pytest.mark.parametrize("keys", ["", "stride=3\nscale=.5", "stride=-3", "stride=-3\nscale=2"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(UPSAMPLE + keys, train=train)


def test_each_pixel_becomes_a_block() -> None:
    text = UPSAMPLE + "scale=3"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, 12, 18, 2)
    for i in range(2):
        for j in range(2):
            np.testing.assert_allclose(y[:, i::2, j::2], 3 * x, rtol=1e-12)


def test_each_block_becomes_its_sum() -> None:
    text = UPSAMPLE + "stride=-3\nscale=2"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, 2, 3, 2)
    np.testing.assert_allclose(y[:, 1, 2], 2 * x[:, 3:6, 6:9].sum(axis=(1, 2)), rtol=1e-12)


def test_table() -> None:
    assert make_layer(UPSAMPLE + "stride=3").describe() == (
        "upsample            3x     9 x   6 x   2   ->    27 x  18 x   2"
    )
    assert make_layer(UPSAMPLE + "stride=-3").describe() == (
        "downsample          3x     9 x   6 x   2   ->     3 x   2 x   2"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("stride=0", "stride=0: expected a divisor of 9 and 6, or above 0"),
        ("stride=-2", "stride=-2: expected a divisor of 9 and 6, or above 0"),
        ("stride=2000", "stride=2000: expected a whole number from -1024 to 1024"),
        ("scale=nan", "scale=nan: expected a number"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(UPSAMPLE + keys) == f"<text>:6: [upsample] {message}"
