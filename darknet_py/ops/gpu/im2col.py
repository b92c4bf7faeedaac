"""Windows of a map as rows of a matrix, and back: what turns a convolution into a product.

Groups come first here, before pictures: one matrix for each, whatever the batch.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.kernel import contiguous, launch_each
from darknet_py.ops.gpu.ways import COLUMNS, using
from darknet_py.ops.sizes import conv_out

Array = Any


def im2col(x: Array, size: int, stride: int, padding: int, groups: int) -> Array:
    """The windows of x (n, h, w, c): (groups, n out_h out_w, size size c/groups).

    Outside the map there are zeros.
    """
    n, h, w, c = x.shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    length = size * size * (c // groups)
    using(COLUMNS)
    columns = cp.empty((groups, n * out_h * out_w, length), x.dtype)
    window = n, h, w, c, out_h, out_w, size, stride, padding, groups
    launch_each("im2col", x.dtype, n, out_h * out_w * length, columns, contiguous(x), *window)
    return columns


def col2im(
    columns: Array, shape: tuple[int, int, int, int], size: int, stride: int, padding: int
) -> Array:
    """The sum of all windows at their places: a map of `shape` (n, h, w, c)."""
    n, h, w, c = shape
    out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
    using(COLUMNS)
    x = cp.empty(shape, columns.dtype)
    window = n, h, w, c, out_h, out_w, size, stride, padding, columns.shape[0]
    launch_each("col2im", x.dtype, n, h * w * c, x, contiguous(columns), *window)
    return x
