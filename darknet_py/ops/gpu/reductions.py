"""Softmax and averages: a block for each row, or a thread for each channel."""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.kernel import contiguous, launch, launch_each

Array = Any

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


def avgpool_backward(delta: Array, shape: tuple[int, int, int, int]) -> Array:
    """The delta of a map of `shape` (n, h, w, c)."""
    n, h, w, c = shape
    x_delta = cp.empty(shape, delta.dtype)
    maps = x_delta, contiguous(delta)
    launch_each("avgpool_backward", delta.dtype, n, h * w * c, *maps, n, h * w, c)
    return x_delta
