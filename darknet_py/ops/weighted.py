"""Sums of several maps, each times a learned factor: AlexeyAB's [shortcut] with weights_type.

The factors are made of weights (maps,), or (maps, c) with one for each channel. Written in numpy's
words, which cupy arrays answer too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.ops.array_types import Array
from darknet_py.ops.normalize import channel_sum

_EPSILON = 1e-4


def shortcut_factors(weights: Array, normalization: str) -> Array:
    """relu: max(w, 0) / (their sum over the maps + 1e-4); softmax: e^w, the largest w subtracted
    first, in place of max(w, 0)."""
    parts, total = _parts(weights, normalization)
    return parts / total


def shortcut_factors_backward(delta: Array, weights: Array, normalization: str) -> Array:
    """The delta of the weights, exact: 1e-4 times what softmax subtracts counts, too."""
    parts, total = _parts(weights, normalization)
    factors = parts / total
    mean = (delta * factors).sum(axis=0, keepdims=True)
    if normalization == "relu":
        return np.where(weights > 0, (delta - mean) / total, delta.dtype.type(0))
    is_largest = weights == weights.max(axis=0, keepdims=True)
    is_largest &= is_largest.cumsum(axis=0) == 1  # of several the first
    kept = delta.dtype.type(_EPSILON) / total
    return factors * (delta - mean) - np.where(is_largest, mean * kept, delta.dtype.type(0))


def _parts(weights: Array, normalization: str) -> tuple[Array, Array]:
    if normalization == "relu":
        parts = np.maximum(weights, 0)
    else:
        parts = np.exp(weights - weights.max(axis=0, keepdims=True))
    return parts, parts.sum(axis=0, keepdims=True) + parts.dtype.type(_EPSILON)


def weighted_sum(maps: Sequence[Array], factors: Array) -> Array:
    """The sum of factors[i] maps[i], of one width and height, in the channels of the first map; the
    others add as many as they have. factors: (maps,), or (maps, c)."""
    rows = _rows(factors)
    y = maps[0] * rows[0]
    for x, row in zip(maps[1:], rows[1:], strict=True):
        c = min(x.shape[-1], y.shape[-1])
        y[..., :c] += x[..., :c] * row[:c]
    return y


def weighted_sum_backward(delta: Array, maps: Sequence[Array], factors: Array) -> list[Array]:
    """The deltas of the maps, then that of the factors."""
    deltas, of_factors = [], np.zeros_like(delta, shape=factors.shape)
    for i, (x, row) in enumerate(zip(maps, _rows(factors), strict=True)):
        c = min(x.shape[-1], delta.shape[-1])
        x_delta = np.zeros_like(x)
        x_delta[..., :c] = delta[..., :c] * row[:c]
        deltas.append(x_delta)
        sums = channel_sum(delta[..., :c] * x[..., :c])
        if factors.ndim == 1:
            of_factors[i : i + 1] = sums.sum(keepdims=True)
        else:
            of_factors[i, :c] = sums
    return [*deltas, of_factors]


def _rows(factors: Array) -> Array:
    """(maps, c), or (maps, 1): no number leaves an array, for which a device would have to wait."""
    return factors if factors.ndim == 2 else factors[:, None]
