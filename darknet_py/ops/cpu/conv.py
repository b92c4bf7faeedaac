"""Convolution as im2col and a matrix product, a few rows at a time to keep the columns small."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.im2col import col2im, im2col
from darknet_py.ops.cpu.threads import run, spread, thread_count
from darknet_py.ops.sizes import conv_out

Array = Any

_COLUMNS = 1 << 19
"""Numbers in the columns of one task: 2 MB, which stays in a core's cache."""


def conv2d(x: Array, weights: Array, stride: int, padding: int, groups: int) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c)."""
    n, h, w, c = x.shape
    out_c, size = weights.shape[:2]
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    matrices = _matrices(weights, groups)
    y = np.empty((n, out_h, out_w, groups, out_c // groups), x.dtype)

    def task(part: tuple[int, range]) -> None:
        b, rows = part
        columns = _columns(x[b], size, stride, padding, groups, rows)
        out = y[b, rows.start : rows.stop].reshape(-1, groups, out_c // groups)
        for group in range(groups):
            # two-dimensional, so that it is one call of the BLAS whatever the strides
            np.matmul(columns[group], matrices[group].T, out=out[:, group])

    run(task, _row_tasks(n, out_h, out_w * size * size * c))
    return y.reshape(n, out_h, out_w, out_c)


def conv2d_backward_input(
    delta: Array,
    weights: Array,
    shape: tuple[int, int, int, int],
    stride: int,
    padding: int,
    groups: int,
) -> Array:
    """The delta of an input of `shape` (n, h, w, c) from that of the output."""
    size = weights.shape[1]
    matrices = _matrices(weights, groups)
    x_delta = np.empty(shape, delta.dtype)

    def task(b: int) -> None:
        columns = _grouped(delta[b], groups) @ matrices
        x_delta[b] = col2im(columns, shape[1:], size, stride, padding)

    run(task, range(shape[0]))
    return x_delta


def conv2d_backward_weights(
    delta: Array, x: Array, size: int, stride: int, padding: int, groups: int
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    n, out_h, _, out_c = delta.shape
    c = x.shape[3]

    def task(pictures: range) -> Array:
        updates = np.zeros((groups, out_c // groups, size * size * (c // groups)), x.dtype)
        for b in pictures:
            columns = _columns(x[b], size, stride, padding, groups, range(out_h))
            updates += _grouped(delta[b], groups).transpose(0, 2, 1) @ columns
        return updates

    return sum(run(task, spread(n))).reshape(out_c, size, size, c // groups)


def local2d(x: Array, weights: Array, stride: int, padding: int) -> Array:
    """A convolution with other weights at each place: (out_h, out_w, out_c, size, size, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    products = _local_columns(x, size, stride, padding) @ weights.reshape(
        out_h * out_w, out_c, -1
    ).transpose(0, 2, 1)
    return np.ascontiguousarray(products.transpose(1, 0, 2)).reshape(-1, out_h, out_w, out_c)


def local2d_backward_input(
    delta: Array, weights: Array, shape: tuple[int, int, int, int], stride: int, padding: int
) -> Array:
    """The delta of an input of `shape` (n, h, w, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    rows = delta.reshape(shape[0], out_h * out_w, out_c).transpose(1, 0, 2)
    columns = (rows @ weights.reshape(out_h * out_w, out_c, -1)).transpose(1, 0, 2)
    pictures = (np.ascontiguousarray(picture)[None] for picture in columns)
    return np.stack([col2im(picture, shape[1:], size, stride, padding) for picture in pictures])


def local2d_backward_weights(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The updates of the weights, summed over pictures."""
    n, out_h, out_w, out_c = delta.shape
    rows = delta.reshape(n, out_h * out_w, out_c).transpose(1, 2, 0)
    products = rows @ _local_columns(x, size, stride, padding)
    return products.reshape(out_h, out_w, out_c, size, size, -1)


def _local_columns(x: Array, size: int, stride: int, padding: int) -> Array:
    """The windows of each place: (places, n, size size c)."""
    columns = [im2col(picture, size, stride, padding, 1)[0] for picture in x]
    return np.stack(columns, axis=1)


def _row_tasks(n: int, out_h: int, row: int) -> list[tuple[int, range]]:
    """(picture, rows of the output), for columns of `row` numbers a row: enough for all threads."""
    parts = max(-(-thread_count() // max(n, 1)), -(-out_h * row // _COLUMNS))
    step = max(-(-out_h // parts), 1)
    return [
        (b, range(top, min(top + step, out_h))) for b in range(n) for top in range(0, out_h, step)
    ]


def _columns(x: Array, size: int, stride: int, padding: int, groups: int, rows: range) -> Array:
    """The windows of some rows of one picture: (groups, places, size size c/groups)."""
    if (size, stride, padding, groups) == (1, 1, 0, 1):
        return x[rows.start : rows.stop].reshape(1, -1, x.shape[2])
    return im2col(x, size, stride, padding, groups, rows)


def _grouped(delta: Array, groups: int) -> Array:
    """(out_h, out_w, out_c) -> (groups, places, out_c/groups)."""
    return delta.reshape(-1, groups, delta.shape[2] // groups).transpose(1, 0, 2)


def _matrices(weights: Array, groups: int) -> Array:
    """(out_c, size, size, c/groups) -> (groups, out_c/groups, size size c/groups)."""
    return weights.reshape(groups, weights.shape[0] // groups, -1)
