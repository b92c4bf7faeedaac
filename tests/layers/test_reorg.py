from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

REORG = "[net]\nheight=6\nwidth=12\nchannels=9\n[reorg]\n"


@pytest.mark.parametrize(
    "keys",
    [
        *("", "stride=3", "reverse=1", "stride=3\nreverse=1", "extra=5"),
        *("flatten=1", "flatten=1\nstride=2", "flatten=1\nstride=3\nreverse=1"),
    ],
)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(REORG + keys, train=train)


def c_program(x: np.ndarray, stride: int, forward: bool) -> np.ndarray:
    """reorg_cpu of the C program's blas.c, on maps (n, c, h, w) of any shape, read flat."""
    n, c, h, w = x.shape
    flat, out = x.reshape(-1), np.empty(x.size)
    out_c = c // stride**2
    for b in range(n):
        for k in range(c):
            for j in range(h):
                for i in range(w):
                    in_index = i + w * (j + h * (k + c * b))
                    c2, offset = k % out_c, k // out_c
                    w2 = i * stride + offset % stride
                    h2 = j * stride + offset // stride
                    out_index = w2 + w * stride * (h2 + h * stride * (c2 + out_c * b))
                    if forward:
                        out[out_index] = flat[in_index]
                    else:
                        out[in_index] = flat[out_index]
    return out


@pytest.mark.parametrize("reverse", [0, 1])
def test_values_lie_where_the_c_program_puts_them(reverse: int) -> None:
    text = f"{REORG}stride=3\nreverse={reverse}"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape[1:] == layer.out_shape == ((18, 36, 1) if reverse else (2, 4, 81))
    expected = c_program(ops.to_chw(x), 3, forward=bool(reverse))
    np.testing.assert_array_equal(ops.to_chw(y).reshape(-1), expected)


@pytest.mark.parametrize(("keys", "shape"), [("stride=2", (3, 6, 36)), ("reverse=1", (6, 12, 9))])
def test_flatten_is_the_c_programs(keys: str, shape: tuple[int, ...]) -> None:
    """flatten of its blas.c: number i of channel c comes to i layers + c, or from there."""
    text = f"{REORG}flatten=1\n{keys}"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape[1:] == layer.out_shape == shape
    size, channels = 72, 9
    for picture, found in zip(ops.to_chw(x), ops.to_chw(y), strict=True):
        flat, expected = picture.reshape(-1), np.empty(x[0].size)
        for k in range(channels):
            for i in range(size):
                first, second = k * size + i, i * channels + k
                to, at = (first, second) if "reverse" in keys else (second, first)
                expected[to] = flat[at]
        np.testing.assert_array_equal(found.reshape(-1), expected)


def test_extra_numbers_are_zeros_after_the_vector() -> None:
    text = REORG + "extra=5"
    layer, (x,) = make_layer(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    assert y.shape[1:] == layer.out_shape == (1, 1, 653)
    assert layer.is_vector
    np.testing.assert_array_equal(y[:, 0, 0, :648], ops.to_chw(x).reshape(2, -1))
    assert not y[..., 648:].any()


def test_table() -> None:
    assert make_layer(REORG + "extra=5").describe() == "reorg               648   ->   653"
    assert make_layer(REORG + "stride=3").describe() == (
        "reorg              / 3    12 x   6 x   9   ->     4 x   2 x  81"
    )


FITS_NOT = (
    "does not fit a 12 x 6 x 9 input: expected channels divisible by its square, "
    "width and height by itself"
)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("stride=0", ":6: [reorg] stride=0: expected a whole number from 1 to 1024"),
        ("stride=2", f":6: [reorg] stride=2 {FITS_NOT}"),
        ("stride=2\nreverse=1", f":6: [reorg] stride=2 {FITS_NOT}"),
        ("stride=2\nflatten=1\nreverse=1", f":6: [reorg] stride=2 {FITS_NOT}"),
        ("stride=4\nflatten=1", f":6: [reorg] stride=4 {FITS_NOT}"),
        ("extra=-1", ":6: [reorg] extra=-1: expected a whole number of 0 or more"),
        ("extra=2\nflatten=1", ":7: [reorg] extra and flatten: expected one of them"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(REORG + keys) == "<text>" + message
