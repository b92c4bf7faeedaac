"""Windows of a map as rows of a matrix, and back: what turns a convolution into a product.

Groups come first here, before pictures: one matrix for each, whatever the batch.
"""

from __future__ import annotations

from typing import Any

import cupy as cp
from cupy.lib.stride_tricks import as_strided

from darknet_py.ops.sizes import conv_out

Array = Any


def im2col(x: Array, size: int, stride: int, padding: int, groups: int) -> Array:
    """The windows of x (n, h, w, c): (groups, n out_h out_w, size size c/groups).

    Outside the map there are zeros.
    """
    n, h, w, c = x.shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    part = c // groups
    if padding:
        inner = x
        x = cp.zeros((n, h + 2 * padding, w + 2 * padding, c), x.dtype)
        x[:, padding : padding + h, padding : padding + w] = inner
    picture, row, column, channel = x.strides
    windows = as_strided(
        x,
        (groups, n, out_h, out_w, size, size, part),
        (part * channel, picture, stride * row, stride * column, row, column, channel),
    )
    return windows.reshape(groups, n * out_h * out_w, size * size * part)


def col2im(
    columns: Array, shape: tuple[int, int, int, int], size: int, stride: int, padding: int
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    n, h, w, c = shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    groups = columns.shape[0]
    windows = columns.reshape(groups, n, out_h, out_w, size, size, -1)
    x = cp.zeros((n, h + 2 * padding, w + 2 * padding, groups, c // groups), columns.dtype)
    for ky in range(size):
        rows = slice(ky, ky + (out_h - 1) * stride + 1, stride)
        for kx in range(size):
            # this value of every window: no two of them have one place
            at = slice(kx, kx + (out_w - 1) * stride + 1, stride)
            x[:, rows, at] += windows[:, :, :, :, ky, kx].transpose(1, 2, 3, 0, 4)
    inner = x[:, padding : padding + h, padding : padding + w]
    return cp.ascontiguousarray(inner).reshape(shape)
