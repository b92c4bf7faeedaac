from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

REORG = "[net]\nheight=6\nwidth=12\nchannels=18\n[reorg3d]\n"


@pytest.mark.parametrize("keys", ["", "stride=2", "stride=3", "reverse=1", "stride=3\nreverse=1"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(REORG + keys, train=train)


def test_a_blocks_pixels_become_channels() -> None:
    text = REORG + "stride=3"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape[1:] == layer.out_shape == (2, 4, 162)
    for dy in range(3):
        for dx in range(3):
            first = (dy * 3 + dx) * 18
            np.testing.assert_array_equal(y[..., first : first + 18], x[:, dy::3, dx::3])


def test_reverse_undoes_it() -> None:
    text = REORG + "stride=3\nreverse=1"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape[1:] == layer.out_shape == (18, 36, 2)
    np.testing.assert_array_equal(ops.space_to_depth(y, 3), x)


def test_table() -> None:
    assert make_layer(REORG + "stride=3").describe() == (
        "reorg              / 3    12 x   6 x  18   ->     4 x   2 x 162"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("stride=0", "stride=0: expected a whole number from 1 to 1024"),
        (
            "stride=4",
            "stride=4 does not fit a 12 x 6 x 18 input: expected width and height divisible by it",
        ),
        (
            "stride=2\nreverse=1",
            "stride=2 does not fit a 12 x 6 x 18 input: expected channels divisible by its square",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(REORG + keys) == "<text>:6: [reorg3d] " + message
