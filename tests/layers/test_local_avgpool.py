from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from darknet_py.layers.base import Window
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake
from tests.support.networks import make_network, pictures, truths

NET = "[net]\nheight=5\nwidth=6\nchannels=3\n"
POOL = NET + "[local_avgpool]\n"


@pytest.mark.parametrize(
    "window",
    [
        "",
        "stride=2",
        "size=3\nstride=2",
        "size=3\nstride=2\npadding=4",
        "size=2\nstride=3\npadding=0",
        "size=9",
        "size=3\nstride_x=2",
        "size=3\nstride=2\nstride_y=1\npadding=3",
    ],
)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(window: str, train: bool) -> None:
    check_layer(POOL + window, train=train)


@pytest.mark.parametrize(
    ("keys", "size", "down", "right", "padding"),
    [
        ("stride=2", 2, 2, 2, 1),
        ("size=3\nstride_x=2\npadding=4", 3, 1, 2, 4),
        ("size=4\nstride=3\nstride_y=2\npadding=0", 4, 2, 3, 0),
    ],
)
def test_each_window_gives_its_mean(
    keys: str, size: int, down: int, right: int, padding: int
) -> None:
    (x,), layer = make_inputs(POOL), make_layer(POOL + keys)
    y = layer.forward(x, ops, False)[0]
    high, wide = (5 + padding - size) // down + 1, (6 + padding - size) // right + 1
    assert y.shape[1:] == layer.out_shape == (high, wide, 3)
    for row, column in np.ndindex(high, wide):
        top, left = row * down - padding // 2, column * right - padding // 2
        window = x[:, max(top, 0) : top + size, max(left, 0) : left + size]
        np.testing.assert_allclose(y[:, row, column], window.mean(axis=(1, 2)), rtol=1e-12)


def test_it_learns_behind_one() -> None:
    text = "[net]\nbatch=4\nheight=6\nwidth=5\nchannels=5\n[convolutional]\nfilters=5\n"
    net = make_network(text + "[local_avg]\nsize=3\nstride=2\n[avgpool]\n[softmax]\n")
    x, y = pictures(net), truths(net)
    losses = [net.train_step(x, y) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


def test_a_window_of_any_size_is_done_at_once() -> None:
    layer, (x,) = make_layer(POOL + "size=1000000000"), make_inputs(POOL)
    y = layer.forward(x, ops, False)[0]
    expected = np.broadcast_to(x.mean(axis=(1, 2), keepdims=True), x.shape)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_table() -> None:
    layer = make_layer(NET + "[local_avg]\nsize=3\nstride=2")
    assert layer.kind == "local_avgpool"
    assert layer.describe() == ("avg                3x 3/ 2      6 x   5 x   3 ->    3 x   3 x   3")
    assert make_layer(POOL + "size=3\nstride_y=2").describe() == (
        "avg               3x 3/ 1x 2    6 x   5 x   3 ->    6 x   3 x   3"
    )
    assert layer.input_window == Window(3, Fraction(2), 1)


@pytest.mark.parametrize("keys", ["stride=0", "stride_y=0", "size=0", "padding=1"])
def test_mistakes_are_named(keys: str) -> None:
    assert mistake(POOL + keys).startswith(f"<text>:6: [local_avgpool] {keys}: expected a whole")
