"""The largest value of each window. Nothing outside the map ever wins."""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array
from darknet_py.ops.cpu.codegen.jit import jit
from darknet_py.ops.cpu.runtime.threads import run, spread
from darknet_py.ops.sizes import Stride, maxpool_outs, pair


def maxpool(x: Array, size: int, stride: Stride, padding: int) -> Array:
    """x (n, h, w, c) -> (n, out_h, out_w, c); `padding` is the total, half of it in front. stride:
    or (down, right)."""
    n, h, w, c = x.shape
    out_h, out_w = maxpool_outs(h, w, size, stride, padding)
    window = size, *pair(stride), padding // 2
    y = np.empty((n, out_h, out_w, c), x.dtype)
    rows = spread(n * out_h)
    run(lambda part: _maxpool(x, y, *window, part.start, part.stop), rows)
    return y


def maxpool_backward(delta: Array, x: Array, size: int, stride: Stride, padding: int) -> Array:
    """The delta of x: each window's goes to its first largest value, rows before columns."""
    x_delta = np.zeros_like(x)
    # Windows overlap, and only one thread may add to a place: it has some channels of a picture.
    channels = spread(x.shape[3])
    parts = [(b, part.start, part.stop) for b in range(x.shape[0]) for part in channels]
    window = size, *pair(stride), padding // 2
    run(lambda part: _maxpool_backward(delta, x, x_delta, *window, *part), parts)
    return x_delta


@jit
def _maxpool(x, y, size, down, right, front, start, stop):  # type: ignore[no-untyped-def]
    _, h, w, c = x.shape
    _, out_h, out_w, _ = y.shape
    for row in range(start, stop):
        b, out_y = row // out_h, row % out_h
        top = out_y * down - front
        for out_x in range(out_w):
            left = out_x * right - front
            best = y[b, out_y, out_x]
            best[:] = -np.inf
            for in_y in range(max(top, 0), min(top + size, h)):
                for in_x in range(max(left, 0), min(left + size, w)):
                    for k in range(c):
                        # np.maximum passes a NaN on, max does not
                        best[k] = np.maximum(best[k], x[b, in_y, in_x, k])


@jit
def _maxpool_backward(  # type: ignore[no-untyped-def]
    delta, x, x_delta, size, down, across, front, b, first, last
):
    h, w = x.shape[1:3]
    out_h, out_w = delta.shape[1:3]
    for out_y in range(out_h):
        top = max(out_y * down - front, 0)
        bottom = min(out_y * down - front + size, h)
        for out_x in range(out_w):
            left = max(out_x * across - front, 0)
            right = min(out_x * across - front + size, w)
            for k in range(first, last):
                best, best_y, best_x = -np.inf, -1, -1
                for in_y in range(top, bottom):
                    for in_x in range(left, right):
                        if x[b, in_y, in_x, k] > best:
                            best, best_y, best_x = x[b, in_y, in_x, k], in_y, in_x
                if best_y >= 0:
                    x_delta[b, best_y, best_x, k] += delta[b, out_y, out_x, k]
