from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from darknet_py.layers.base import Wanted, Window
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = "[net]\nheight=5\nwidth=6\nchannels=3\n"
POOL = NET + "[maxpool]\n"

WINDOWS = [
    "",
    "stride=2",
    "size=2",
    "size=3\nstride=2",
    "size=3\nstride=1",
    "size=3\nstride=2\npadding=0",
    "size=2\nstride=3",
    "size=3\nstride=2\npadding=4",
    "size=5\nstride=1\npadding=0",
    "size=9\nstride=1",
    "size=3\nstride_x=2",
    "size=2\nstride=2\nstride_y=3",
    "size=2\nstride=2\nantialiasing=1",
    "size=3\nstride_x=1\nstride_y=2\nantialiasing=2",
    "maxpool_depth=1",
    "maxpool_depth=1\nout_channels=2\nstride=7\nantialiasing=1",
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(window: str, train: bool) -> None:
    check_layer(POOL + window, train=train)


@pytest.mark.parametrize(
    ("keys", "size", "stride", "padding"),
    [
        ("stride=2", 2, 2, 1),
        ("size=3\nstride=2\npadding=0", 3, 2, 0),
        ("size=3\nstride=2\npadding=3", 3, 2, 3),
        ("size=4\nstride=3\npadding=6", 4, 3, 6),
    ],
)
def test_each_window_gives_its_largest_value(
    keys: str, size: int, stride: int, padding: int
) -> None:
    (x,) = make_inputs(POOL)
    x -= 10  # a border of zeros would win
    layer = make_layer(POOL + keys)
    y = layer.forward(x, ops, False)[0]
    assert (
        y.shape[1:]
        == layer.out_shape
        == (
            (5 + padding - size) // stride + 1,
            (6 + padding - size) // stride + 1,
            3,
        )
    )
    for out_y in range(y.shape[1]):
        top = out_y * stride - padding // 2
        for out_x in range(y.shape[2]):
            left = out_x * stride - padding // 2
            window = x[:, max(top, 0) : top + size, max(left, 0) : left + size]
            np.testing.assert_array_equal(y[:, out_y, out_x], window.max(axis=(1, 2)))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_window_is_outside_the_map(size: int) -> None:
    text = f"{POOL}size={size}\nstride=1\npadding={2 * size - 2}"
    (x,) = make_inputs(text)
    assert np.isfinite(make_layer(text).forward(x, ops, False)[0]).all()
    assert "padding=" in mistake(f"{POOL}size={size}\nstride=1\npadding={2 * size - 1}")


def test_of_equal_values_the_first_gets_the_delta() -> None:
    layer = make_layer(POOL + "stride=2\npadding=0")
    y, saved = layer.forward(np.zeros((1, 5, 6, 3)), ops, True)
    (x_delta,) = layer.backward(
        np.ones_like(y), saved, ops, Wanted(input_deltas=True, updates=True)
    )
    expected = np.zeros((1, 5, 6, 3))
    expected[:, 0:4:2, 0:6:2] = 1
    np.testing.assert_array_equal(x_delta, expected)


@pytest.mark.parametrize("out_channels", [1, 2, 3])
def test_the_largest_of_channels(out_channels: int) -> None:
    text = f"{POOL}maxpool_depth=1\nout_channels={out_channels}\nsize=9\nstride=2\n"
    (x,), layer = make_inputs(text), make_layer(text)
    y = layer.forward(x, ops, False)[0]
    assert layer.out_shape == (5, 6, out_channels)
    assert layer.input_window == Window()
    for g in range(out_channels):
        np.testing.assert_array_equal(y[..., g], x[..., g::out_channels].max(axis=3))


def test_antialiasing() -> None:
    text = f"{POOL}size=3\nstride_x=2\nstride_y=1\nantialiasing="
    for antialiasing, size in ((1, 3), (2, 2)):
        layer, (x,) = make_layer(f"{text}{antialiasing}"), make_inputs(f"{text}{antialiasing}")
        expected = ops.blur(ops.maxpool(x, 3, 1, 2), size, (1, 2))
        np.testing.assert_array_equal(layer.forward(x, ops, False)[0], expected)
        assert expected.shape[1:] == layer.out_shape
        assert layer.input_window == Window(2 + size, Fraction(2), 1 + (size == 3))


def test_a_nan_is_passed_on() -> None:
    layer = make_layer(POOL + "stride=2")
    x = np.zeros((1, 5, 6, 3))
    x[0, 2, 2, 1] = np.nan
    y = layer.forward(x, ops, False)[0]
    assert np.isnan(y[0, 1, 1, 1])
    assert np.isnan(y).sum() == 1


def test_table() -> None:
    text = NET + "[max]\nsize=2\nstride=2"
    assert make_layer(text).kind == "maxpool"
    assert make_layer(text).describe() == (
        "max          2 x 2 / 2     6 x   5 x   3   ->     3 x   3 x   3"
    )
    assert make_layer(text + "\nstride_x=1").describe() == (
        "max          2x 2/ 1x 2    6 x   5 x   3   ->     6 x   3 x   3"
    )
    assert make_layer(POOL + "maxpool_depth=1").describe() == (
        "max-depth    1 x 1 / 1     6 x   5 x   3   ->     6 x   5 x   1"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("stride=0", ":6: [maxpool] stride=0: expected a whole number of 1 or more"),
        ("stride_x=0", ":6: [maxpool] stride_x=0: expected a whole number of 1 or more"),
        (
            "out_channels=4\nmaxpool_depth=1",
            ":6: [maxpool] out_channels=4: expected a whole number from 1 to 3",
        ),
        ("size=0", ":6: [maxpool] size=0: expected a whole number of 1 or more"),
        ("padding=-1", ":6: [maxpool] padding=-1: expected a whole number from 0 to 0"),
        (
            "size=6\npadding=0",
            ":5: [maxpool] a 6 x 5 x 3 input gives a 1 x 0 x 3 output: expected at least 1 x 1 x 1",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(POOL + keys) == "<text>" + message
