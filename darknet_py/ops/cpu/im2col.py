"""Windows of a map as rows of a matrix, and back: what turns a convolution into a product."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.jit import kernel
from darknet_py.ops.sizes import conv_out

Array = Any


def im2col(
    x: Array, size: int, stride: int, padding: int, groups: int, rows: range | None = None
) -> Array:
    """The windows of a picture x (h, w, c): (groups, places, size size c/groups).

    The places are those of the output's `rows` (all, if None), from left to right. Outside the
    map there are zeros.
    """
    h, w, c = x.shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    rows = range(out_h) if rows is None else rows
    columns = np.empty((groups, len(rows) * out_w, size * size * (c // groups)), x.dtype)
    _im2col(x, columns, size, stride, padding, out_w, rows.start)
    return columns


def col2im(
    columns: Array, shape: tuple[int, int, int], size: int, stride: int, padding: int
) -> Array:
    """The sum of all windows at their places: a picture of `shape` (h, w, c)."""
    x = np.zeros(shape, columns.dtype)
    _col2im(columns, x, size, stride, padding, conv_out(shape[1], size, stride, padding))
    return x


@kernel
def _im2col(x, columns, size, stride, padding, out_w, top):  # type: ignore[no-untyped-def]
    h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            left = place % out_w * stride - padding
            at = 0
            for ky in range(size):
                in_y = (top + place // out_w) * stride - padding + ky
                if 0 <= in_y < h and left >= 0 and left + size <= w and groups == 1:
                    # a row of the window lies in one piece
                    piece = x[in_y, left : left + size].reshape(size * part)
                    for k in range(size * part):
                        row[at + k] = piece[k]
                    at += size * part
                    continue
                for in_x in range(left, left + size):
                    inside = 0 <= in_y < h and 0 <= in_x < w
                    for k in range(part):
                        row[at + k] = x[in_y, in_x, first + k] if inside else 0
                    at += part


@kernel
def _col2im(columns, x, size, stride, padding, out_w):  # type: ignore[no-untyped-def]
    h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            top, left = place // out_w * stride - padding, place % out_w * stride - padding
            at = 0
            for in_y in range(top, top + size):
                for in_x in range(left, left + size):
                    if 0 <= in_y < h and 0 <= in_x < w:
                        for k in range(part):
                            x[in_y, in_x, first + k] += row[at + k]
                    at += part
