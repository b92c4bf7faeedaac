"""The largest value of each window. Nothing outside the map ever wins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cupy as cp

from darknet_py.ops.sizes import maxpool_out

Array = Any


def maxpool(x: Array, size: int, stride: int, padding: int) -> Array:
    """x (n, h, w, c) -> (n, out_h, out_w, c); `padding` is the total, half of it in front."""
    out_h, out_w = (maxpool_out(length, size, stride, padding) for length in x.shape[1:3])
    framed = _framed(x, size, stride, padding)
    y = cp.full((x.shape[0], out_h, out_w, x.shape[3]), -cp.inf, x.dtype)
    for at in _shifts(size, stride, out_h, out_w):
        cp.maximum(y, framed[at], out=y)
    return y


def maxpool_backward(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The delta of x: each window's goes to its first largest value, rows before columns."""
    out_h, out_w = delta.shape[1:3]
    framed = _framed(x, size, stride, padding)
    best = cp.full(delta.shape, -cp.inf, x.dtype)
    winner = cp.full(delta.shape, -1, cp.int32)
    for k, at in enumerate(_shifts(size, stride, out_h, out_w)):
        better = framed[at] > best
        best = cp.where(better, framed[at], best)
        winner = cp.where(better, k, winner)
    framed_delta = cp.zeros(framed.shape, x.dtype)
    for k, at in enumerate(_shifts(size, stride, out_h, out_w)):
        framed_delta[at] += cp.where(winner == k, delta, 0)
    front = padding // 2
    h, w = x.shape[1:3]
    return cp.ascontiguousarray(framed_delta[:, front : front + h, front : front + w])


def _framed(x: Array, size: int, stride: int, padding: int) -> Array:
    """x with -inf around it, where windows reach beyond it."""
    n, h, w, c = x.shape
    front = padding // 2
    lengths = (
        max(front + length, (maxpool_out(length, size, stride, padding) - 1) * stride + size)
        for length in (h, w)
    )
    framed = cp.full((n, *lengths, c), -cp.inf, x.dtype)
    framed[:, front : front + h, front : front + w] = x
    return framed


def _shifts(size: int, stride: int, out_h: int, out_w: int) -> Iterator[tuple[slice, ...]]:
    """Where the first value of every window is in the frame, then the second, and so on."""
    for ky in range(size):
        for kx in range(size):
            rows = slice(ky, ky + (out_h - 1) * stride + 1, stride)
            columns = slice(kx, kx + (out_w - 1) * stride + 1, stride)
            yield slice(None), rows, columns
