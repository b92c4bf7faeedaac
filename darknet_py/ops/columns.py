"""Products of columns (im2col): locally connected layers, which have other weights at each place.

Written once for both devices; im2col and col2im are each device's own."""

from __future__ import annotations

from collections.abc import Callable

from darknet_py.ops.array_types import Array, Shape


def local_operations(
    im2col: Callable[..., Array], col2im: Callable[..., Array]
) -> tuple[Callable[..., Array], Callable[..., Array], Callable[..., Array]]:
    """local2d, its gradient by the input and that by the weights, of a device's windows."""

    def columns_of(x: Array, size: int, stride: int, padding: int) -> Array:
        """The windows of each place: (out_h out_w, n, size size c)."""
        columns = im2col(x, size, stride, padding, 1)
        return columns.reshape(x.shape[0], -1, columns.shape[2]).transpose(1, 0, 2)

    def local2d(x: Array, weights: Array, stride: int, padding: int) -> Array:
        """x (n, h, w, c) with weights (out_h, out_w, out_c, size, size, c)."""
        out_h, out_w, out_c, size = weights.shape[:4]
        matrices = weights.reshape(out_h * out_w, out_c, -1).transpose(0, 2, 1)
        products = columns_of(x, size, stride, padding) @ matrices
        return products.transpose(1, 0, 2).copy().reshape(-1, out_h, out_w, out_c)

    def local2d_backward_input(
        delta: Array, weights: Array, shape: Shape, stride: int, padding: int
    ) -> Array:
        """The delta of an input of `shape` (n, h, w, c)."""
        out_h, out_w, out_c, size = weights.shape[:4]
        rows = delta.reshape(shape[0], out_h * out_w, out_c).transpose(1, 0, 2)
        columns = (rows @ weights.reshape(out_h * out_w, out_c, -1)).transpose(1, 0, 2).copy()
        return col2im(columns.reshape(1, -1, columns.shape[2]), shape, size, stride, padding)

    def local2d_backward_weights(
        delta: Array, x: Array, size: int, stride: int, padding: int
    ) -> Array:
        """The updates of the weights, summed over pictures."""
        n, out_h, out_w, out_c = delta.shape
        rows = delta.reshape(n, out_h * out_w, out_c).transpose(1, 2, 0)
        products = rows @ columns_of(x, size, stride, padding)
        return products.reshape(out_h, out_w, out_c, size, size, -1)

    return local2d, local2d_backward_input, local2d_backward_weights


def by_group(delta: Array, groups: int) -> Array:
    """(n, out_h, out_w, out_c) -> (groups, places, out_c/groups)."""
    return delta.reshape(-1, groups, delta.shape[3] // groups).transpose(1, 0, 2)


def matrices_of(weights: Array, groups: int) -> Array:
    """(out_c, size, size, c/groups) -> (groups, out_c/groups, size size c/groups)."""
    return weights.reshape(groups, weights.shape[0] // groups, -1)
