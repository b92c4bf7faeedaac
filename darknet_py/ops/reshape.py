"""Functions that move values, or add those of two maps: no arithmetic to speak of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.ops.array_types import Array, Shape


def contiguous(x: Array) -> Array:
    """x, or a copy if its values do not lie in order. (np.ascontiguousarray is numpy's alone.)"""
    return x if x.flags.c_contiguous else x.copy()


def concat(maps: Sequence[Array]) -> Array:
    """Maps of one height and width, joined along their channels."""
    return np.concatenate(maps, axis=-1)


def concat_backward(delta: Array, channels: Sequence[int]) -> list[Array]:
    """The parts of delta that belong to maps with these numbers of channels."""
    ends = np.cumsum(channels)
    return [
        contiguous(delta[..., end - c : end])
        for c, end in zip(channels, ends.tolist(), strict=True)
    ]


def slice_channels(x: Array, first: int, count: int) -> Array:
    """`count` channels of x, from the first one on."""
    return contiguous(x[..., first : first + count])


def slice_channels_backward(delta: Array, first: int, c: int) -> Array:
    """The delta of a map with c channels: zeros in those that were left out."""
    x_delta = np.zeros_like(delta, shape=(*delta.shape[:-1], c))
    x_delta[..., first : first + delta.shape[-1]] = delta
    return x_delta


def pad_channels(x: Array, count: int) -> Array:
    """x with `count` further channels of zeros."""
    return slice_channels_backward(x, 0, x.shape[-1] + count)


def to_chw(x: Array) -> Array:
    """(n, h, w, c) -> (n, c, h, w), darknet's order."""
    return contiguous(x.transpose(0, 3, 1, 2))


def to_hwc(x: Array) -> Array:
    """(n, c, h, w) -> (n, h, w, c), the order in here."""
    return contiguous(x.transpose(0, 2, 3, 1))


def flatten_chw(x: Array) -> Array:
    """(n, h, w, c) -> (n, 1, 1, c h w): a vector in darknet's order."""
    return to_chw(x).reshape(x.shape[0], 1, 1, -1)


def flatten_chw_backward(delta: Array, shape: Shape) -> Array:
    """The delta of a map of `shape` (n, h, w, c) from that of its vector."""
    n, h, w, c = shape
    return to_hwc(delta.reshape(n, c, h, w))


def pad_to(x: Array, h: int, w: int) -> Array:
    """x (n, h', w', c) with zeros below and at the right of it: (n, h, w, c), neither smaller."""
    y = np.zeros_like(x, shape=(x.shape[0], h, w, x.shape[3]))
    y[:, : x.shape[1], : x.shape[2]] = x
    return y


def pad_to_backward(delta: Array, shape: Shape) -> Array:
    """The delta of a map of `shape` (n, h, w, c)."""
    return contiguous(delta[:, : shape[1], : shape[2]])


def shortcut(x: Array, other: Array, alpha: float, beta: float) -> Array:
    """alpha x + beta other, where they overlap; x elsewhere.

    Sizes may differ: the larger map is sampled at every `larger // smaller` pixels, the first
    min(channels) take part (darknet's shortcut_cpu).
    """
    y = x.copy()
    x_at, other_at = _overlap(x.shape, other.shape)
    y[x_at] = alpha * x[x_at] + beta * other[other_at]
    return y


def shortcut_backward(
    delta: Array, other_shape: Shape, alpha: float, beta: float
) -> tuple[Array, Array]:
    """Deltas of x and of other."""
    x_delta = delta.copy()
    other_delta = np.zeros_like(delta, shape=other_shape)
    x_at, other_at = _overlap(delta.shape, other_shape)
    x_delta[x_at] = alpha * delta[x_at]
    other_delta[other_at] = beta * delta[x_at]
    return x_delta, other_delta


def _overlap(
    x_shape: Sequence[int], other_shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where two maps overlap, as slices of each: rows, columns, channels."""
    x_at, other_at = [slice(None)], [slice(None)]
    for x_length, other_length in zip(x_shape[1:3], other_shape[1:3], strict=True):
        sample = max(x_length // other_length, 1)
        stride = max(other_length // x_length, 1)
        count = min(x_length, other_length)
        x_at.append(slice(0, (count - 1) * sample + 1, sample))
        other_at.append(slice(0, (count - 1) * stride + 1, stride))
    channels = slice(0, min(x_shape[3], other_shape[3]))
    return (*x_at, channels), (*other_at, channels)


def upsample(x: Array, stride: int, scale: float) -> Array:
    """Each pixel, times scale, as a block of stride x stride."""
    return scale * x.repeat(stride, axis=1).repeat(stride, axis=2)


def upsample_backward(delta: Array, stride: int, scale: float) -> Array:
    """The sum of each block, times scale: also what `downsample` computes."""
    n, h, w, c = delta.shape
    blocks = delta.reshape(n, h // stride, stride, w // stride, stride, c)
    return scale * blocks.sum(axis=(2, 4))


def reorg(x: Array, stride: int) -> Array:
    """(n, h, w, c) -> (n, h / stride, w / stride, c stride^2), as darknet's [reorg].

    The C program reads its input's memory, (c, h, w), as if it were a map
    (c / stride^2, h stride, w stride), takes every stride-th pixel of that, and calls the result
    (c stride^2, h / stride, w / stride): not space-to-depth, but published weights depend on it.
    """
    n, h, w, c = x.shape
    inner = c // stride**2
    read = to_chw(x).reshape(n, inner, h, stride, w, stride)
    moved = contiguous(read.transpose(0, 3, 5, 1, 2, 4))
    return to_hwc(moved.reshape(n, c * stride**2, h // stride, w // stride))


def reorg_reverse(x: Array, stride: int) -> Array:
    """(n, h, w, c) -> (n, h stride, w stride, c / stride^2): [reorg] with reverse=1."""
    n, h, w, c = x.shape
    inner = c // stride**2
    read = to_chw(x).reshape(n, stride, stride, inner, h, w)
    moved = contiguous(read.transpose(0, 3, 4, 1, 5, 2))
    return to_hwc(moved.reshape(n, inner, h * stride, w * stride))


def reorg_backward(delta: Array, stride: int) -> Array:
    """The delta of what `reorg` was given, (n, h stride, w stride, c / stride^2)."""
    n, h, w, c = delta.shape
    height, width, channels = h * stride, w * stride, c // stride**2
    read = to_chw(delta).reshape(n, stride, stride, channels // stride**2, height, width)
    moved = contiguous(read.transpose(0, 3, 4, 1, 5, 2))
    return to_hwc(moved.reshape(n, channels, height, width))


def reorg_reverse_backward(delta: Array, stride: int) -> Array:
    """The delta of what `reorg_reverse` was given, (n, h / stride, w / stride, c stride^2)."""
    n, h, w, c = delta.shape
    read = to_chw(delta).reshape(n, c, h // stride, stride, w // stride, stride)
    moved = contiguous(read.transpose(0, 3, 5, 1, 2, 4))
    return to_hwc(moved.reshape(n, c * stride**2, h // stride, w // stride))


def reorg_flatten(x: Array, stride: int, reverse: bool) -> Array:
    """[reorg] with flatten=1: the values of x in the order (h, w, c), read as if it were (c, h, w).

    The map that they make has the shape that `reorg` gives, or with reverse `reorg_reverse`; there
    it is the other way round: values in the order (c, h, w) are read as if it were (h, w, c).
    """
    n, h, w, c = x.shape
    if reverse:
        pixels_last = contiguous(to_chw(x).reshape(n, h * w, c).transpose(0, 2, 1))
        return to_hwc(pixels_last.reshape(n, c // stride**2, h * stride, w * stride))
    return to_hwc(x.reshape(n, c * stride**2, h // stride, w // stride))


def reorg_flatten_backward(delta: Array, stride: int, reverse: bool) -> Array:
    """The delta of what `reorg_flatten` was given."""
    n, h, w, c = delta.shape
    if reverse:
        h, w, c = h // stride, w // stride, c * stride**2
        values_first = contiguous(to_chw(delta).reshape(n, c, h * w).transpose(0, 2, 1))
        return to_hwc(values_first.reshape(n, c, h, w))
    return to_chw(delta).reshape(n, h * stride, w * stride, c // stride**2)


def space_to_depth(x: Array, stride: int) -> Array:
    """(n, h, w, c) -> (n, h / stride, w / stride, c stride^2): each block of stride x stride pixels
    becomes one, whose channels are those of its pixels, row by row."""
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // stride, stride, w // stride, stride, c)
    moved = contiguous(blocks.transpose(0, 1, 3, 2, 4, 5))
    return moved.reshape(n, h // stride, w // stride, c * stride**2)


def depth_to_space(x: Array, stride: int) -> Array:
    """(n, h, w, c) -> (n, h stride, w stride, c / stride^2): undoes `space_to_depth`."""
    n, h, w, c = x.shape
    pixels = x.reshape(n, h, w, stride, stride, c // stride**2)
    moved = contiguous(pixels.transpose(0, 1, 3, 2, 4, 5))
    return moved.reshape(n, h * stride, w * stride, c // stride**2)


def crop(x: Array, top: int, left: int, h: int, w: int, flip: bool, scale: float) -> Array:
    """The window (h, w) of x at (top, left), mirrored if flip, as scale * x + (1 - scale).

    scale 2 maps 0..1 to -1..1, scale 1 leaves values alone. Mirrored, the window is counted
    from the right edge, as in darknet's crop_layer.c.
    """
    if flip:
        x = x[:, :, ::-1]
    return x[:, top : top + h, left : left + w] * scale + (1 - scale)


def crop_backward(
    delta: Array, shape: Shape, top: int, left: int, flip: bool, scale: float
) -> Array:
    """The delta of the whole map of `shape` (n, h, w, c)."""
    x_delta = np.zeros_like(delta, shape=shape)
    x_delta[:, top : top + delta.shape[1], left : left + delta.shape[2]] = scale * delta
    return contiguous(x_delta[:, :, ::-1]) if flip else x_delta
