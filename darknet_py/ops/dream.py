"""The deltas that dreams backpropagate. Maps are (n, h, w, c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from darknet_py.ops.array_types import Array

_ROWS = 4096
"""Pixels that are compared with a guide at once: the table of their products stays small."""


def dream_delta(y: Array, thresh: float) -> Array:
    """y where it exceeds its picture's mean + thresh standard deviations, else 0."""
    return stand_out(y, dream_limit(y, thresh, ()), ())


def dream_limit(y: Array, thresh: float, channels: Sequence[int]) -> Array:
    """Each picture's mean + thresh standard deviations, (n, 1, 1, 1), over these channels, all
    if none are named."""
    picked = _picked(y, channels) if len(channels) else y
    axes = (1, 2, 3)
    mean = picked.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = picked.std(axis=axes, keepdims=True, dtype=np.float64)
    return (mean + thresh * deviation).astype(y.dtype)


def stand_out(y: Array, limit: Array, channels: Sequence[int]) -> Array:
    """y where it exceeds the limit (n or 1, 1, 1, 1) in these channels, all if none are named;
    else 0."""
    above = np.where(y > limit, y, 0).astype(y.dtype)
    if not len(channels):
        return above
    delta = np.zeros_like(y)
    for run in _runs(channels):
        delta[..., run] = above[..., run]
    return delta


def one_hot(y: Array, index: int) -> Array:
    """Of y's shape: 1 at `index` in darknet's order (c, h, w) of each picture, else 0."""
    _, h, w, _ = y.shape
    channel, place = divmod(index, h * w)
    delta = np.zeros_like(y)
    delta[:, place // w, place % w, channel] = 1
    return delta


def guide_delta(y: Array, features: Array) -> Array:
    """At each pixel that of the features (1, 1, m, c) whose product with y there is largest.

    Source: "dreaming with a guide" of Google's DeepDream notebook (Mordvintsev et al. 2015).
    """
    return guide_by_products(y, features, lambda pixels, known: pixels @ known.T)


def guide_by_products(y: Array, features: Array, product: Callable[[Array, Array], Array]) -> Array:
    """The same by a device's product of pixels (n, c) and features (m, c): (n, m)."""
    pixels, known = y.reshape(-1, y.shape[-1]), features.reshape(-1, y.shape[-1])
    delta = np.empty_like(pixels)
    for first in range(0, pixels.shape[0], _ROWS):
        here = slice(first, first + _ROWS)
        delta[here] = known[product(pixels[here], known).argmax(axis=1)]
    return delta.reshape(y.shape)


def _picked(y: Array, channels: Sequence[int]) -> Array:
    """These channels alone."""
    picked = np.empty_like(y, shape=(*y.shape[:-1], len(channels)))
    start = 0
    for run in _runs(channels):
        end = start + run.stop - run.start
        picked[..., start:end] = y[..., run]
        start = end
    return picked


def _runs(channels: Sequence[int]) -> list[slice]:
    """Channels in order, as slices: a list of them would have to be copied to a GPU each time,
    which no CUDA graph can hold."""
    runs: list[slice] = []
    for channel in channels:
        if runs and runs[-1].stop == channel:
            runs[-1] = slice(runs[-1].start, channel + 1)
        else:
            runs.append(slice(channel, channel + 1))
    return runs
