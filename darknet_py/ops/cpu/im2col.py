"""Windows of a map as rows of a matrix, and back: what turns a convolution into a product."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.jit import jit
from darknet_py.ops.sizes import conv_out

Array = Any


def im2col(
    x: Array, size: int, stride: int, padding: int, groups: int, rows: range | None = None
) -> Array:
    """The windows of x (n, h, w, c): (groups, places, size size c/groups).

    The places are those of the output's `rows` (all, if None), from left to right, picture after
    picture. Outside the map there are zeros.
    """
    n, h, w, c = x.shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    rows = range(out_h) if rows is None else rows
    columns = np.empty((groups, n * len(rows) * out_w, size * size * (c // groups)), x.dtype)
    _im2col(x, columns, size, stride, padding, out_w, rows.start, len(rows))
    return columns


def col2im(
    columns: Array, shape: tuple[int, int, int, int], size: int, stride: int, padding: int
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    x = np.zeros(shape, columns.dtype)
    out_h, out_w = (conv_out(length, size, stride, padding) for length in shape[1:3])
    _col2im(columns, x, size, stride, padding, out_h, out_w)
    return x


@jit
def _im2col(x, columns, size, stride, padding, out_w, first_row, row_count):  # type: ignore[no-untyped-def]
    _, h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            picture, out_y = place // (row_count * out_w), place // out_w % row_count
            left = place % out_w * stride - padding
            at = 0
            for ky in range(size):
                in_y = (first_row + out_y) * stride - padding + ky
                if 0 <= in_y < h and left >= 0 and left + size <= w and groups == 1:
                    # a row of the window lies in one piece
                    piece = x[picture, in_y, left : left + size].reshape(size * part)
                    for k in range(size * part):
                        row[at + k] = piece[k]
                    at += size * part
                    continue
                for in_x in range(left, left + size):
                    inside = 0 <= in_y < h and 0 <= in_x < w
                    for k in range(part):
                        row[at + k] = x[picture, in_y, in_x, first + k] if inside else 0
                    at += part


@jit
def _col2im(columns, x, size, stride, padding, out_h, out_w):  # type: ignore[no-untyped-def]
    _, h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            picture, out_y = place // (out_h * out_w), place // out_w % out_h
            top, left = out_y * stride - padding, place % out_w * stride - padding
            at = 0
            for in_y in range(top, top + size):
                for in_x in range(left, left + size):
                    if 0 <= in_y < h and 0 <= in_x < w:
                        for k in range(part):
                            x[picture, in_y, in_x, first + k] += row[at + k]
                    at += part
