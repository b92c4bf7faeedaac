"""The largest value of each window. Nothing outside the map ever wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from darknet_py.ops.cpu.jit import kernel
from darknet_py.ops.sizes import maxpool_out

Array = Any


def maxpool(x: Array, size: int, stride: int, padding: int) -> Array:
    """x (n, h, w, c) -> (n, out_h, out_w, c); `padding` is the total, half of it in front."""
    n, h, w, c = x.shape
    out_h, out_w = (maxpool_out(length, size, stride, padding) for length in (h, w))
    y = np.empty((n, out_h, out_w, c), x.dtype)
    _maxpool(x, y, size, stride, padding // 2)
    return y


def maxpool_backward(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The delta of x: each window's goes to its first largest value, rows before columns."""
    x_delta = np.zeros_like(x)
    _maxpool_backward(delta, x, x_delta, size, stride, padding // 2)
    return x_delta


@kernel
def _maxpool(x, y, size, stride, front):  # type: ignore[no-untyped-def]
    _, h, w, c = x.shape
    n, out_h, out_w, _ = y.shape
    for task in prange(n * out_h):
        b, out_y = task // out_h, task % out_h
        top = out_y * stride - front
        for out_x in range(out_w):
            left = out_x * stride - front
            best = y[b, out_y, out_x]
            best[:] = -np.inf
            for in_y in range(max(top, 0), min(top + size, h)):
                for in_x in range(max(left, 0), min(left + size, w)):
                    for k in range(c):
                        # np.maximum passes a NaN on, max does not
                        best[k] = np.maximum(best[k], x[b, in_y, in_x, k])


@kernel
def _maxpool_backward(delta, x, x_delta, size, stride, front):  # type: ignore[no-untyped-def]
    # One task per picture and channel: windows overlap, and only one thread may add to a place.
    n, h, w, c = x.shape
    out_h, out_w = delta.shape[1:3]
    for task in prange(n * c):
        b, k = task // c, task % c
        for out_y in range(out_h):
            top = out_y * stride - front
            for out_x in range(out_w):
                left = out_x * stride - front
                best, best_y, best_x = -np.inf, -1, -1
                for in_y in range(max(top, 0), min(top + size, h)):
                    for in_x in range(max(left, 0), min(left + size, w)):
                        if x[b, in_y, in_x, k] > best:
                            best, best_y, best_x = x[b, in_y, in_x, k], in_y, in_x
                if best_y >= 0:
                    x_delta[b, best_y, best_x, k] += delta[b, out_y, out_x, k]
