"""Binarization, of maps (`xnor=1`) and weights (`binary=1`). NaN stays NaN. There is no backward:
gradients use the straight-through estimator (Courbariaux, Bengio 2016)."""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array


def binarize(x: Array) -> Array:
    """1 where x is above 0, else -1 (darknet's binarize_cpu)."""
    kind = x.dtype.type
    return np.where(x != x, x, np.where(x > 0, kind(1), kind(-1)))


def binarize_weights(weights: Array) -> Array:
    """Of each filter of weights (filters, size, size, c) the mean of |w| where w is above 0, else
    its negative (darknet's binarize_weights)."""
    size = np.abs(weights).mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64)
    size = size.astype(weights.dtype)
    return np.where(weights > 0, size, -size)
