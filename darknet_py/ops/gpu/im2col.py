"""Convolution as im2col and a matrix product, as many pictures at once as the columns allow.

Groups come first here, before pictures: one matrix for each, whatever the batch.
"""

from __future__ import annotations

import cupy as cp

from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.columns import by_group, local_operations, matrices_of
from darknet_py.ops.gpu.kernel import COLUMNS, contiguous, launch_each, note_algorithm
from darknet_py.ops.sizes import Stride, conv_outs, pair


def im2col(
    x: Array, size: int, stride: Stride, padding: int, groups: int, dilation: int = 1
) -> Array:
    """The windows of x (n, h, w, c): (groups, n out_h out_w, size size c/groups).

    Outside the map there are zeros.
    """
    n, h, w, c = x.shape
    out_h, out_w = conv_outs(h, w, size, stride, padding, dilation)
    length = size * size * (c // groups)
    note_algorithm(COLUMNS)
    columns = cp.empty((groups, n * out_h * out_w, length), x.dtype)
    window = n, h, w, c, out_h, out_w, size, *pair(stride), padding, dilation, groups
    launch_each("im2col", x.dtype, n, out_h * out_w * length, columns, contiguous(x), *window)
    return columns


def col2im(
    columns: Array, shape: Shape, size: int, stride: Stride, padding: int, dilation: int = 1
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    n, h, w, c = shape
    out_h, out_w = conv_outs(h, w, size, stride, padding, dilation)
    note_algorithm(COLUMNS)
    x = cp.empty(shape, columns.dtype)
    window = n, h, w, c, out_h, out_w, size, *pair(stride), padding, dilation, columns.shape[0]
    launch_each("col2im", x.dtype, n, h * w * c, x, contiguous(columns), *window)
    return x


MAX_COLUMNS = 1 << 26
"""How many values the columns of several pictures may have: 256 MiB in float32."""


def conv2d(
    x: Array, weights: Array, stride: Stride, padding: int, groups: int, dilation: int
) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c)."""
    n, h, w, c = x.shape
    out_c, size = weights.shape[:2]
    out_h, out_w = conv_outs(h, w, size, stride, padding, dilation)
    matrices = matrices_of(weights, groups).transpose(0, 2, 1)
    y = cp.empty((n, out_h, out_w, groups, out_c // groups), x.dtype)
    for some in _portions(n, out_h * out_w * size * size * c):
        products = im2col(x[some], size, stride, padding, groups, dilation) @ matrices
        products = products.reshape(groups, -1, out_h, out_w, out_c // groups)
        y[some] = products.transpose(1, 2, 3, 0, 4)
    return y.reshape(n, out_h, out_w, out_c)


def conv2d_backward_input(
    delta: Array,
    weights: Array,
    shape: Shape,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
) -> Array:
    """The delta of an input of `shape` (n, h, w, c) from that of the output."""
    size = weights.shape[1]
    matrices = matrices_of(weights, groups)
    x_delta = cp.empty(shape, delta.dtype)
    for some in _portions(shape[0], delta[0, :, :, 0].size * size * size * shape[3]):
        part = x_delta[some]
        columns = by_group(delta[some], groups) @ matrices
        part[...] = col2im(columns, part.shape, size, stride, padding, dilation)
    return x_delta


def conv2d_backward_weights(
    delta: Array,
    x: Array,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    n, out_h, out_w, out_c = delta.shape
    c = x.shape[3]
    updates = cp.zeros((groups, out_c // groups, size * size * (c // groups)), x.dtype)
    for some in _portions(n, out_h * out_w * size * size * c):
        columns = im2col(x[some], size, stride, padding, groups, dilation)
        updates += by_group(delta[some], groups).transpose(0, 2, 1) @ columns
    return updates.reshape(out_c, size, size, c // groups)


def _portions(n: int, columns: int) -> list[slice]:
    """The batch in parts whose columns fit; one picture has this many, and is never divided."""
    step = max(MAX_COLUMNS // columns, 1)
    return [slice(first, first + step) for first in range(0, n, step)]


local2d, local2d_backward_input, local2d_backward_weights = local_operations(im2col, col2im)
