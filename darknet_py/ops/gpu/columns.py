"""Convolution as im2col and a matrix product, as many pictures at once as the columns allow."""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.im2col import col2im, im2col
from darknet_py.ops.sizes import conv_out

Array = Any

COLUMNS = 1 << 26
"""How many values the columns of several pictures may have: 256 MiB in float32."""


def conv2d(x: Array, weights: Array, stride: int, padding: int, groups: int) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c)."""
    n, h, w, c = x.shape
    out_c, size = weights.shape[:2]
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    matrices = _matrices(weights, groups).transpose(0, 2, 1)
    y = cp.empty((n, out_h, out_w, groups, out_c // groups), x.dtype)
    for some in _portions(n, out_h * out_w * size * size * c):
        products = im2col(x[some], size, stride, padding, groups) @ matrices
        products = products.reshape(groups, -1, out_h, out_w, out_c // groups)
        y[some] = products.transpose(1, 2, 3, 0, 4)
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
    x_delta = cp.empty(shape, delta.dtype)
    for some in _portions(shape[0], delta[0, :, :, 0].size * size * size * shape[3]):
        part = x_delta[some]
        columns = _grouped(delta[some], groups) @ matrices
        part[...] = col2im(columns, part.shape, size, stride, padding)
    return x_delta


def conv2d_backward_weights(
    delta: Array, x: Array, size: int, stride: int, padding: int, groups: int
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    n, out_h, out_w, out_c = delta.shape
    c = x.shape[3]
    updates = cp.zeros((groups, out_c // groups, size * size * (c // groups)), x.dtype)
    for some in _portions(n, out_h * out_w * size * size * c):
        columns = im2col(x[some], size, stride, padding, groups)
        updates += _grouped(delta[some], groups).transpose(0, 2, 1) @ columns
    return updates.reshape(out_c, size, size, c // groups)


def local2d(x: Array, weights: Array, stride: int, padding: int) -> Array:
    """A convolution with other weights at each place: (out_h, out_w, out_c, size, size, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    columns = _places(x, size, stride, padding)
    products = columns @ weights.reshape(out_h * out_w, out_c, -1).transpose(0, 2, 1)
    return cp.ascontiguousarray(products.transpose(1, 0, 2)).reshape(-1, out_h, out_w, out_c)


def local2d_backward_input(
    delta: Array, weights: Array, shape: tuple[int, int, int, int], stride: int, padding: int
) -> Array:
    """The delta of an input of `shape` (n, h, w, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    rows = delta.reshape(shape[0], out_h * out_w, out_c).transpose(1, 0, 2)
    columns = rows @ weights.reshape(out_h * out_w, out_c, -1)
    return col2im(columns.transpose(1, 0, 2)[None], shape, size, stride, padding)


def local2d_backward_weights(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The updates of the weights, summed over pictures."""
    n, out_h, out_w, out_c = delta.shape
    columns = _places(x, size, stride, padding)
    rows = delta.reshape(n, out_h * out_w, out_c).transpose(1, 2, 0)
    return (rows @ columns).reshape(out_h, out_w, out_c, size, size, -1)


def _portions(n: int, columns: int) -> list[slice]:
    """The batch in parts whose columns fit; one picture has this many, and is never divided."""
    step = max(COLUMNS // columns, 1)
    return [slice(first, first + step) for first in range(0, n, step)]


def _places(x: Array, size: int, stride: int, padding: int) -> Array:
    """The windows of each place: (out_h out_w, n, size size c)."""
    columns = im2col(x, size, stride, padding, 1)
    return columns.reshape(x.shape[0], -1, columns.shape[2]).transpose(1, 0, 2)


def _grouped(delta: Array, groups: int) -> Array:
    """(n, out_h, out_w, out_c) -> (groups, n out_h out_w, out_c/groups)."""
    return delta.reshape(-1, groups, delta.shape[3] // groups).transpose(1, 0, 2)


def _matrices(weights: Array, groups: int) -> Array:
    """(out_c, size, size, c/groups) -> (groups, out_c/groups, size size c/groups)."""
    return weights.reshape(groups, weights.shape[0] // groups, -1)
