"""The largest value of each window. Nothing outside the map ever wins."""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.kernel import contiguous, launch_each
from darknet_py.ops.sizes import maxpool_out

Array = Any


def maxpool(x: Array, size: int, stride: int, padding: int) -> Array:
    """x (n, h, w, c) -> (n, out_h, out_w, c); `padding` is the total, half of it in front."""
    n, h, w, c = x.shape
    out_h, out_w = (maxpool_out(length, size, stride, padding) for length in (h, w))
    y = cp.empty((n, out_h, out_w, c), x.dtype)
    window = n, h, w, c, out_h, out_w, size, stride, padding // 2
    launch_each("maxpool", x.dtype, n, out_h * out_w * c, y, contiguous(x), *window)
    return y


def maxpool_backward(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The delta of x: each window's goes to its first largest value, rows before columns."""
    n, h, w, c = x.shape
    x_delta = cp.empty(x.shape, x.dtype)
    window = n, h, w, c, *delta.shape[1:3], size, stride, padding // 2
    maps = x_delta, contiguous(delta), contiguous(x)
    launch_each("maxpool_backward", x.dtype, n, h * w * c, *maps, *window)
    return x_delta
