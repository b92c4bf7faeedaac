"""Convolutions that round as little as float32 can; the engine's programs may round more."""

from __future__ import annotations

from typing import Any

from darknet_py.ops.gpu.convolution import convolve, convolve_input, convolve_weights

Array = Any


def conv2d(x: Array, weights: Array, stride: int, padding: int, groups: int) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c)."""
    nothing = None, "linear", None, "linear"
    return convolve(x, weights, *nothing, stride, padding, groups, exact=True)


def conv2d_backward_input(
    delta: Array,
    weights: Array,
    shape: tuple[int, int, int, int],
    stride: int,
    padding: int,
    groups: int,
) -> Array:
    """The delta of an input of `shape` (n, h, w, c) from that of the output."""
    return convolve_input(delta, weights, shape, stride, padding, groups, exact=True)


def conv2d_backward_weights(
    delta: Array, x: Array, size: int, stride: int, padding: int, groups: int
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    return convolve_weights(delta, x, size, stride, padding, groups, exact=True)
