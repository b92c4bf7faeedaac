"""Convolution as im2col and a matrix product, one picture at a time to keep the columns small."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.im2col import col2im, im2col
from darknet_py.ops.sizes import conv_out

Array = Any


def conv2d(x: Array, weights: Array, stride: int, padding: int, groups: int) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c)."""
    n, h, w, _ = x.shape
    out_c, size = weights.shape[:2]
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    matrices = _matrices(weights, groups)
    y = np.empty((n, out_h * out_w, groups, out_c // groups), x.dtype)
    for b in range(n):
        columns = _columns(x[b : b + 1], size, stride, padding, groups)
        for group in range(groups):
            # two-dimensional, so that it is one call of the BLAS whatever the strides
            np.matmul(columns[group], matrices[group].T, out=y[b, :, group])
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
    for b in range(shape[0]):
        columns = _grouped(delta[b], groups) @ matrices
        x_delta[b] = col2im(columns[None], (1, *shape[1:]), size, stride, padding)[0]
    return x_delta


def conv2d_backward_weights(
    delta: Array, x: Array, size: int, stride: int, padding: int, groups: int
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    out_c, c = delta.shape[3], x.shape[3]
    updates = np.zeros((groups, out_c // groups, size * size * (c // groups)), x.dtype)
    for b in range(x.shape[0]):
        columns = _columns(x[b : b + 1], size, stride, padding, groups)
        updates += _grouped(delta[b], groups).transpose(0, 2, 1) @ columns
    return updates.reshape(out_c, size, size, c // groups)


def local2d(x: Array, weights: Array, stride: int, padding: int) -> Array:
    """A convolution with other weights at each place: (out_h, out_w, out_c, size, size, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    columns = im2col(x, size, stride, padding, 1)[:, 0].transpose(1, 0, 2)
    products = columns @ weights.reshape(out_h * out_w, out_c, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(products.transpose(1, 0, 2)).reshape(-1, out_h, out_w, out_c)


def local2d_backward_input(
    delta: Array, weights: Array, shape: tuple[int, int, int, int], stride: int, padding: int
) -> Array:
    """The delta of an input of `shape` (n, h, w, c)."""
    out_h, out_w, out_c, size = weights.shape[:4]
    rows = delta.reshape(shape[0], out_h * out_w, out_c).transpose(1, 0, 2)
    columns = rows @ weights.reshape(out_h * out_w, out_c, -1)
    columns = np.ascontiguousarray(columns.transpose(1, 0, 2))[:, None]
    return col2im(columns, shape, size, stride, padding)


def local2d_backward_weights(delta: Array, x: Array, size: int, stride: int, padding: int) -> Array:
    """The updates of the weights, summed over pictures."""
    n, out_h, out_w, out_c = delta.shape
    columns = im2col(x, size, stride, padding, 1)[:, 0].transpose(1, 0, 2)
    rows = delta.reshape(n, out_h * out_w, out_c).transpose(1, 2, 0)
    return (rows @ columns).reshape(out_h, out_w, out_c, size, size, -1)


def _columns(x: Array, size: int, stride: int, padding: int, groups: int) -> Array:
    """The windows of one picture: (groups, places, size size c/groups)."""
    if (size, stride, padding, groups) == (1, 1, 0, 1):
        return x.reshape(1, -1, x.shape[3])
    return im2col(x, size, stride, padding, groups)[0]


def _grouped(delta: Array, groups: int) -> Array:
    """(out_h, out_w, out_c) -> (groups, places, out_c/groups)."""
    return delta.reshape(-1, groups, delta.shape[2] // groups).transpose(1, 0, 2)


def _matrices(weights: Array, groups: int) -> Array:
    """(out_c, size, size, c/groups) -> (groups, out_c/groups, size size c/groups)."""
    return weights.reshape(groups, weights.shape[0] // groups, -1)
