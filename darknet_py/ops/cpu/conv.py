"""Convolution as im2col and a matrix product, a few rows at a time to keep the columns small."""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.columns import by_group, local_operations, matrices_of
from darknet_py.ops.cpu.codegen.jit import jit
from darknet_py.ops.cpu.runtime.threads import run, spread, thread_count
from darknet_py.ops.sizes import Stride, conv_outs, pair


def im2col(
    x: Array,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int = 1,
    rows: range | None = None,
) -> Array:
    """The windows of x (n, h, w, c): (groups, places, size size c/groups), zeros outside the map.

    The places are those of the output's `rows` (None: all), from left to right, picture after
    picture.
    """
    n, h, w, c = x.shape
    out_h, out_w = conv_outs(h, w, size, stride, padding, dilation)
    rows = range(out_h) if rows is None else rows
    columns = np.empty((groups, n * len(rows) * out_w, size * size * (c // groups)), x.dtype)
    window = size, *pair(stride), padding, dilation
    _im2col(x, columns, *window, out_w, rows.start, len(rows))
    return columns


def col2im(
    columns: Array, shape: Shape, size: int, stride: Stride, padding: int, dilation: int = 1
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    x = np.zeros(shape, columns.dtype)
    out_h, out_w = conv_outs(*shape[1:3], size, stride, padding, dilation)
    _col2im(columns, x, size, *pair(stride), padding, dilation, out_h, out_w)
    return x


@jit
def _im2col(  # type: ignore[no-untyped-def]
    x, columns, size, down, right, padding, dilation, out_w, first_row, row_count
):
    _, h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            picture, out_y = place // (row_count * out_w), place // out_w % row_count
            left = place % out_w * right - padding
            at = 0
            for ky in range(size):
                in_y = (first_row + out_y) * down - padding + ky * dilation
                is_inside = 0 <= in_y < h and left >= 0 and left + size <= w
                if is_inside and groups == 1 and dilation == 1:
                    # a row of the window lies in one piece
                    piece = x[picture, in_y, left : left + size].reshape(size * part)
                    for k in range(size * part):
                        row[at + k] = piece[k]
                    at += size * part
                    continue
                for kx in range(size):
                    in_x = left + kx * dilation
                    inside = 0 <= in_y < h and 0 <= in_x < w
                    for k in range(part):
                        row[at + k] = x[picture, in_y, in_x, first + k] if inside else 0
                    at += part


@jit
def _col2im(columns, x, size, down, right, padding, dilation, out_h, out_w):  # type: ignore[no-untyped-def]
    _, h, w, _ = x.shape
    groups, places, length = columns.shape
    part = length // (size * size)
    for group in range(groups):
        first = group * part
        for place in range(places):
            row = columns[group, place]
            picture, out_y = place // (out_h * out_w), place // out_w % out_h
            top, left = out_y * down - padding, place % out_w * right - padding
            at = 0
            for ky in range(size):
                in_y = top + ky * dilation
                for kx in range(size):
                    in_x = left + kx * dilation
                    if 0 <= in_y < h and 0 <= in_x < w:
                        for k in range(part):
                            x[picture, in_y, in_x, first + k] += row[at + k]
                    at += part


_COLUMNS = 1 << 18
"""Numbers in the columns of one task, about: 1 MB, which stays in a core's cache."""


def conv2d(
    x: Array, weights: Array, stride: Stride, padding: int, groups: int, dilation: int = 1
) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c).

    stride: or (down, right); dilation: pixels from a place of the window to the next.
    """
    n, h, w, c = x.shape
    out_c, size = weights.shape[:2]
    out_h, out_w = conv_outs(h, w, size, stride, padding, dilation)
    matrices = matrices_of(weights, groups)
    y = np.empty((n, out_h, out_w, groups, out_c // groups), x.dtype)

    def task(part: tuple[range, range]) -> None:
        pictures, rows = part
        columns = _columns(x, pictures, rows, size, stride, padding, groups, dilation)
        # one piece of memory: rows are all of them, or those of one picture
        out = y[pictures.start : pictures.stop, rows.start : rows.stop]
        out = out.reshape(-1, groups, out_c // groups)
        for group in range(groups):
            # two-dimensional, so that it is one call of the BLAS whatever the strides
            np.matmul(columns[group], matrices[group].T, out=out[:, group])

    run(task, _parts(n, out_h, out_w * size * size * c))
    return y.reshape(n, out_h, out_w, out_c)


def conv2d_backward_input(
    delta: Array,
    weights: Array,
    shape: Shape,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int = 1,
) -> Array:
    """The delta of an input of `shape` (n, h, w, c) from that of the output."""
    size = weights.shape[1]
    matrices = matrices_of(weights, groups)
    x_delta = np.empty(shape, delta.dtype)

    def task(pictures: range) -> None:
        part = slice(pictures.start, pictures.stop)
        columns = by_group(delta[part], groups) @ matrices
        x_delta[part] = col2im(columns, x_delta[part].shape, size, stride, padding, dilation)

    picture = delta.shape[1] * delta.shape[2] * matrices.shape[2] * groups
    run(task, _pictures(shape[0], picture))
    return x_delta


def conv2d_backward_weights(
    delta: Array,
    x: Array,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int = 1,
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    window = size, stride, padding, groups, dilation
    n, out_h, out_w, out_c = delta.shape
    c = x.shape[3]
    chunks = _pictures(n, out_h * out_w * size * size * c)

    def task(numbers: range) -> Array:
        updates = np.zeros((groups, out_c // groups, size * size * (c // groups)), x.dtype)
        for pictures in chunks[numbers.start : numbers.stop]:
            columns = _columns(x, pictures, range(out_h), *window)
            deltas = by_group(delta[pictures.start : pictures.stop], groups)
            updates += deltas.transpose(0, 2, 1) @ columns
        return updates

    return sum(run(task, spread(len(chunks)))).reshape(out_c, size, size, c // groups)


def _pictures(n: int, picture: int) -> list[range]:
    """0 to n - 1 in parts for one task each, of pictures with columns of `picture` numbers."""
    step = max(min(_COLUMNS // picture, -(-n // thread_count())), 1)
    return [range(first, min(first + step, n)) for first in range(0, n, step)]


def _parts(n: int, out_h: int, row: int) -> list[tuple[range, range]]:
    """(pictures, rows of the output) for one task each, of columns of `row` numbers a row.

    Several whole pictures, or some rows of one where it is large or there are few.
    """
    if n >= thread_count() and out_h * row <= _COLUMNS:
        return [(pictures, range(out_h)) for pictures in _pictures(n, out_h * row)]
    parts = max(-(-thread_count() // max(n, 1)), -(-out_h * row // _COLUMNS))
    step = max(-(-out_h // parts), 1)
    rows = [range(top, min(top + step, out_h)) for top in range(0, out_h, step)]
    return [(range(b, b + 1), part) for b in range(n) for part in rows]


def _columns(
    x: Array,
    pictures: range,
    rows: range,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
) -> Array:
    """The windows of some rows of some pictures: (groups, places, size size c/groups)."""
    x = x[pictures.start : pictures.stop]
    if (size, stride, padding, groups) == (1, 1, 0, 1):
        return x[:, rows.start : rows.stop].reshape(1, -1, x.shape[3])
    return im2col(x, size, stride, padding, groups, dilation, rows)


local2d, local2d_backward_input, local2d_backward_weights = local_operations(im2col, col2im)
