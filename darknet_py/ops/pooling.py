"""Means of windows, blur, and the largest of some channels, and their gradients.

Written in numpy's words, which cupy arrays answer too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.sizes import Stride, conv_outs, maxpool_outs, pair

Array = Any

BLURS = {2: (0.5, 0.5), 3: (0.25, 0.5, 0.25)}
"""By size: a row of a window's weights, and a column. Zhang 2019, Making Convolutional Networks
Shift-Invariant Again."""


def local_avgpool(x: Array, size: int, stride: Stride, padding: int) -> Array:
    """The mean of each window of x (n, h, w, c), of what is inside the map: (n, out_h, out_w, c).

    `padding` is the total, half of it in front, as maxpool's. stride: or (down, right).
    """
    sums = x
    outs = maxpool_outs(x.shape[1], x.shape[2], size, stride, padding)
    for axis, out, step in zip((1, 2), outs, pair(stride), strict=True):
        sums = _collected(sums, axis, out, step, padding // 2, size)
    return sums / _counts(x, size, stride, padding)


def local_avgpool_backward(
    delta: Array, shape: tuple[int, ...], size: int, stride: Stride, padding: int
) -> Array:
    """The delta of x of `shape` (n, h, w, c): each window's is shared by what is inside."""
    like = np.zeros_like(delta, shape=shape)
    spread = delta / _counts(like, size, stride, padding)
    for axis, step in zip((1, 2), pair(stride), strict=True):
        spread = _spread(spread, axis, shape[axis], step, padding // 2, size)
    return spread


def _counts(x: Array, size: int, stride: Stride, padding: int) -> Array:
    """How many pixels of x each window has: (1, out_h, out_w, 1)."""
    counts = np.ones_like(x, shape=(1, *x.shape[1:3], 1))
    outs = maxpool_outs(x.shape[1], x.shape[2], size, stride, padding)
    for axis, out, step in zip((1, 2), outs, pair(stride), strict=True):
        counts = _collected(counts, axis, out, step, padding // 2, size)
    return counts


def blur(x: Array, size: int, stride: Stride) -> Array:
    """Each channel of x (n, h, w, c) with [1 2 1] x [1 2 1] / 16 (size=3, in a frame of zeros) or
    the mean of 2 x 2 (size=2): (n, out_h, out_w, c). stride: or (down, right)."""
    outs = blur_outs(x.shape[1], x.shape[2], size, stride)
    for axis, out, step in zip((1, 2), outs, pair(stride), strict=True):
        x = _collected(x, axis, out, step, blur_padding(size), BLURS[size])
    return x


def blur_backward(delta: Array, shape: tuple[int, ...], size: int, stride: Stride) -> Array:
    """The delta of x of `shape` (n, h, w, c)."""
    for axis, step in zip((1, 2), pair(stride), strict=True):
        delta = _spread(delta, axis, shape[axis], step, blur_padding(size), BLURS[size])
    return delta


def blur_outs(h: int, w: int, size: int, stride: Stride) -> tuple[int, int]:
    """Height and width of what blur gives."""
    return conv_outs(h, w, size, stride, blur_padding(size))


def blur_padding(size: int) -> int:
    """Zeros at each side."""
    return (size - 1) // 2


def maxpool_depth(x: Array, out_channels: int) -> Array:
    """Of x (n, h, w, c) the largest of channels g, g + out_channels, ... for each g: (n, h, w,
    out_channels)."""
    y = x[..., :out_channels].copy()
    for first in range(out_channels, x.shape[3], out_channels):
        part = x[..., first : first + out_channels]
        count = part.shape[3]
        y[..., :count] = np.maximum(y[..., :count], part)
    return y


def maxpool_depth_backward(delta: Array, x: Array, out_channels: int) -> Array:
    """The delta of x: each goes to the first channel that is largest."""
    y, left, none = maxpool_depth(x, out_channels), delta, delta.dtype.type(0)
    x_delta = np.zeros_like(x)
    for first in range(0, x.shape[3], out_channels):
        part = x[..., first : first + out_channels]
        count = part.shape[3]
        is_largest = part == y[..., :count]
        x_delta[..., first : first + count] = np.where(is_largest, left[..., :count], none)
        left = np.where(is_largest, none, left[..., :count])
    return x_delta


def _collected(
    x: Array, axis: int, out: int, stride: int, before: int, weights: int | tuple[float, ...]
) -> Array:
    """Along an axis `out` windows of x, the first of which begins `before` the map: the sum of what
    is inside, times the weights; a size in place of weights: times 1."""
    shape = list(x.shape)
    shape[axis] = out
    y = np.zeros_like(x, shape=tuple(shape))
    for weight, windows, pixels in _places(x.shape[axis], out, weights, stride, before):
        y[_along(axis, windows)] += x.dtype.type(weight) * x[_along(axis, pixels)]
    return y


def _spread(
    y: Array, axis: int, length: int, stride: int, before: int, weights: int | tuple[float, ...]
) -> Array:
    """The transpose of that: `length` pixels of what `_collected` sums to y."""
    shape = list(y.shape)
    shape[axis] = length
    x = np.zeros_like(y, shape=tuple(shape))
    for weight, windows, pixels in _places(length, y.shape[axis], weights, stride, before):
        x[_along(axis, pixels)] += y.dtype.type(weight) * y[_along(axis, windows)]
    return x


def _places(
    length: int, out: int, weights: int | tuple[float, ...], stride: int, before: int
) -> list[tuple[float, slice, slice]]:
    """The weight of each place of a window, the windows of which it is inside a row of `length`,
    and the pixels that are there."""
    found = []
    size = weights if isinstance(weights, int) else len(weights)
    first_place, last_place = before - (out - 1) * stride, length + before
    for place in range(max(first_place, 0), min(size, last_place)):
        first = max(-((place - before) // stride), 0)
        last = min((length - 1 + before - place) // stride, out - 1)
        if first <= last:
            start = first * stride - before + place
            pixels = slice(start, start + (last - first) * stride + 1, stride)
            weight = 1.0 if isinstance(weights, int) else weights[place]
            found.append((weight, slice(first, last + 1), pixels))
    return found


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, part)
