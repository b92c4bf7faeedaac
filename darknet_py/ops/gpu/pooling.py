"""Pooling, averages and softmax: a thread for each window or channel, a block for each row."""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.gpu.kernel import contiguous, launch, launch_each, width_of
from darknet_py.ops.sizes import Stride, maxpool_outs, pair


def maxpool(x: Array, size: int, stride: Stride, padding: int) -> Array:
    """x (n, h, w, c) -> (n, out_h, out_w, c); `padding` is the total, half of it in front. stride:
    or (down, right)."""
    n, h, w, c = x.shape
    out_h, out_w = maxpool_outs(h, w, size, stride, padding)
    y = cp.empty((n, out_h, out_w, c), x.dtype)
    _each_window("maxpool", x.dtype, y, contiguous(x), size, stride, padding)
    return y


def maxpool_backward(delta: Array, x: Array, size: int, stride: Stride, padding: int) -> Array:
    """The delta of x: each window's goes to its first largest value, rows before columns."""
    n, h, w, c = x.shape
    winners = cp.empty(delta.shape, cp.int32)
    _each_window("maxpool_winners", x.dtype, winners, contiguous(x), size, stride, padding)
    x_delta = cp.empty(x.shape, x.dtype)
    maps = x_delta, contiguous(delta), winners
    width = width_of(c, maps)
    window = n, h, w, c, *delta.shape[1:3], size, *pair(stride), padding // 2
    launch_each("maxpool_backward", x.dtype, n, h * w * c // width, *maps, *window, width)
    return x_delta


def _each_window(
    name: str, dtype: Any, y: Array, x: Array, size: int, stride: Stride, padding: int
) -> None:
    """A kernel that writes something of each window of x to y (n, out_h, out_w, c)."""
    (n, h, w, c), (_, out_h, out_w, _) = x.shape, y.shape
    width = width_of(c, (y, x))
    window = n, h, w, c, out_h, out_w, size, *pair(stride), padding // 2
    launch_each(name, dtype, n, out_h * out_w * c // width, y, x, *window, width)


_ROWS = 1 << 16


def softmax(x: Array, groups: int, temperature: float) -> Array:
    """exp(x / temperature), each of `groups` equal parts of the channels made to sum to 1."""
    y = cp.empty(x.shape, x.dtype)
    _rows("softmax", groups, temperature, y, x)
    return y


def softmax_backward(delta: Array, y: Array, groups: int, temperature: float) -> Array:
    """y (delta - sum(delta y)) / temperature, within each group: the exact gradient."""
    x_delta = cp.empty(y.shape, y.dtype)
    _rows("softmax_backward", groups, temperature, x_delta, delta, y)
    return x_delta


def _rows(name: str, groups: int, temperature: float, out: Array, *maps: Array) -> None:
    length = out.shape[-1] // groups
    rows = out.size // length
    given = [contiguous(x) for x in maps]
    grid = (min(rows, _ROWS),)
    launch(name, out.dtype, grid, out, *given, rows, length, float(temperature))


def avgpool(x: Array) -> Array:
    """The mean of each channel: (n, h, w, c) -> (n, 1, 1, c)."""
    n, h, w, c = x.shape
    y = cp.empty((n, 1, 1, c), x.dtype)
    launch_each("avgpool", x.dtype, n, c, y, contiguous(x), n, h * w, c)
    return y


def avgpool_backward(delta: Array, shape: Shape) -> Array:
    """The delta of a map of `shape` (n, h, w, c)."""
    n, h, w, c = shape
    x_delta = cp.empty(shape, delta.dtype)
    maps = x_delta, contiguous(delta)
    launch_each("avgpool_backward", delta.dtype, n, h * w * c, *maps, n, h * w, c)
    return x_delta
