"""Windows of a map as rows of a matrix, and back: what turns a convolution into a product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from darknet_py.ops.cpu.jit import kernel
from darknet_py.ops.sizes import conv_out

Array = Any


def im2col(x: Array, size: int, stride: int, padding: int, groups: int) -> Array:
    """The windows of x (n, h, w, c): (n, groups, out_h out_w, size size c/groups).

    Outside the map there are zeros.
    """
    n, h, w, c = x.shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    columns = np.empty((n, groups, out_h * out_w, size * size * (c // groups)), x.dtype)
    _im2col(x, columns, size, stride, padding, out_w)
    return columns


def col2im(
    columns: Array, shape: tuple[int, int, int, int], size: int, stride: int, padding: int
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    x = np.zeros(shape, columns.dtype)
    _col2im(columns, x, size, stride, padding, conv_out(shape[2], size, stride, padding))
    return x


@kernel
def _im2col(x, columns, size, stride, padding, out_w):  # type: ignore[no-untyped-def]
    n, h, w, _ = x.shape
    groups, places = columns.shape[1:3]
    part = columns.shape[3] // (size * size)
    out_h = places // out_w
    for task in prange(n * out_h):
        b, out_y = task // out_h, task % out_h
        for group in range(groups):
            first = group * part
            for out_x in range(out_w):
                row = columns[b, group, out_y * out_w + out_x]
                left = out_x * stride - padding
                at = 0
                for ky in range(size):
                    in_y = out_y * stride - padding + ky
                    if 0 <= in_y < h and left >= 0 and left + size <= w and groups == 1:
                        # a row of the window lies in one piece
                        piece = x[b, in_y, left : left + size].reshape(size * part)
                        for k in range(size * part):
                            row[at + k] = piece[k]
                        at += size * part
                        continue
                    for in_x in range(left, left + size):
                        inside = 0 <= in_y < h and 0 <= in_x < w
                        for k in range(part):
                            row[at + k] = x[b, in_y, in_x, first + k] if inside else 0
                        at += part


@kernel
def _col2im(columns, x, size, stride, padding, out_w):  # type: ignore[no-untyped-def]
    # One task per row of x: it gathers, so that no two threads add to one place.
    n, h, w, _ = x.shape
    groups, places = columns.shape[1:3]
    part = columns.shape[3] // (size * size)
    out_h = places // out_w
    for task in prange(n * h):
        b, in_y = task // h, task % h
        for ky in range(size):
            row = in_y + padding - ky
            if row < 0 or row % stride != 0 or row // stride >= out_h:
                continue
            for out_x in range(out_w):
                place = row // stride * out_w + out_x
                for kx in range(size):
                    in_x = out_x * stride - padding + kx
                    if in_x < 0 or in_x >= w:
                        continue
                    at = (ky * size + kx) * part
                    for group in range(groups):
                        for k in range(part):
                            x[b, in_y, in_x, group * part + k] += columns[b, group, place, at + k]
