"""Batches of pictures made soft."""

from __future__ import annotations

import math

import numpy as np


def blur(x: np.ndarray, deviation: float) -> np.ndarray:
    """x (n, c, h, w) convolved with a Gaussian of this deviation in pixels, edge joined to edge.

    The sum of each channel stays. 0 leaves it as it is.
    """
    reach = math.ceil(3 * deviation)
    if reach == 0:
        return x
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    for axis in (2, 3):
        soft = np.zeros_like(x)
        for k, weight in enumerate(weights.astype(x.dtype)):
            soft += weight * np.roll(x, k - reach, axis)
        x = soft
    return x
