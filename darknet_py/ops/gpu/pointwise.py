"""Elementwise operations, each one pass over its maps; what the kernels do not take is computed by
the functions for both devices."""

from __future__ import annotations

import cupy as cp

from darknet_py.ops import activations, dense, reshape
from darknet_py.ops.activations import CHANNELWISE, POINTWISE
from darknet_py.ops.array_types import Array
from darknet_py.ops.gpu.kernel import HALF, contiguous, has_kernels, launch_each, launch_rows

_NUMBERS = {name: number for number, name in enumerate(POINTWISE)}
"""As the enumeration in cuda/activations.cuh."""


def activation_number(activation: str) -> int:
    """The kernels' number of an activation."""
    return _NUMBERS[activation]


def epilogue(
    x: Array,
    biases: Array | None,
    before: str,
    added: Array | None,
    after: str,
    y: Array | None = None,
) -> Array:
    """after(before(x + biases) + added), of x (n, h, w, c), biases (c,) and added, as x, or None;
    written to y, if given, which may be x."""
    x = contiguous(x)
    y = cp.empty(x.shape, x.dtype) if y is None else y
    # a pointer is needed even where nothing is read
    arrays = y, x, x if biases is None else biases, x if added is None else contiguous(added)
    flags = int(biases is not None), int(added is not None)
    launch_rows("epilogue", arrays, *flags, activation_number(before), activation_number(after))
    return y


def activate(x: Array, activation: str) -> Array:
    """The activation of every element of x, (..., c)."""
    if activation == "linear":
        return x
    if activation in CHANNELWISE:
        return activations.activate(x, activation)
    return epilogue(x, None, activation, None, "linear")


def activate_backward(delta: Array, saved: Array, activation: str) -> Array:
    """The delta of an activation's input. saved: its input, of those in FROM_INPUT, else its
    output: what `saved_of` gives."""
    if activation == "linear":
        return delta
    if activation in CHANNELWISE:
        return activations.activate_backward(delta, saved, activation)
    x_delta = cp.empty(saved.shape, saved.dtype)
    maps = x_delta, contiguous(delta), contiguous(saved)
    launch_rows("activate_backward", maps, activation_number(activation))
    return x_delta


def add_biases(x: Array, biases: Array) -> Array:
    """x (n, h, w, c) plus biases (c,), or (h, w, c)."""
    if biases.ndim > 1:
        return dense.add_biases(x, biases)
    return epilogue(x, biases, "linear", None, "linear")


def add(x: Array, other: Array) -> Array:
    """x + other, of one shape."""
    return _combine(x, other, 1.0, 1.0)


def shortcut(x: Array, other: Array, alpha: float, beta: float) -> Array:
    """alpha x + beta other, where they overlap; x elsewhere.

    Sizes may differ: the larger map is sampled at every `larger // smaller` pixels, the first
    min(channels) take part (darknet's shortcut_cpu).
    """
    return shortcut_activate(x, other, alpha, beta, "linear")


def shortcut_activate(x: Array, other: Array, alpha: float, beta: float, activation: str) -> Array:
    """The same through an activation."""
    if x.shape != other.shape:
        return activate(reshape.shortcut(x, other, alpha, beta), activation)
    return _combine(x, other, float(alpha), float(beta), activation)


def _combine(
    x: Array, other: Array, alpha: float, beta: float, activation: str = "linear"
) -> Array:
    if x.shape != other.shape or not has_kernels(x, other):
        return activate(alpha * x + beta * other, activation)
    y = cp.empty(x.shape, x.dtype)
    maps = y, contiguous(x), contiguous(other)
    launch_rows("combine", maps, alpha, beta, activation_number(activation))
    return y


def narrow(x: Array) -> Array:
    """float32 to bfloat16, to the nearest, ties to even."""
    y = cp.empty(x.shape, HALF)
    launch_each("narrow", HALF, 1, x.size, y, contiguous(x), 1, x.size)
    return y


def widen(x: Array) -> Array:
    """bfloat16 to float32: exact."""
    y = cp.empty(x.shape, cp.float32)
    launch_each("widen", HALF, 1, x.size, y, contiguous(x), 1, x.size)
    return y
