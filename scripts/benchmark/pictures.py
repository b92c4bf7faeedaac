"""Pictures and truths to run on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from darknet_py.images import load_image


def random_pictures(n: int, c: int, h: int, w: int, seed: int = 0) -> np.ndarray:
    """(n, c, h, w) float32, 0..1: noise, smoothed, since photos are smooth."""
    x: np.ndarray = np.random.default_rng(seed).random((n, c, h, w), np.float32)
    for _ in range(3):
        for axis in (2, 3):
            x = (x + np.roll(x, 1, axis) + np.roll(x, -1, axis)) / 3
    low, high = x.min(), x.max()
    x -= low
    x /= high - low
    return x


def read_picture(path: Path) -> np.ndarray:
    """A file's picture as (1, 3, h, w). Raises PictureError."""
    return np.ascontiguousarray(load_image(path).transpose(2, 0, 1)[None])


def random_truths(n: int, outputs: int, seed: int = 1) -> np.ndarray:
    """(n, outputs) float32: one class each."""
    classes = np.random.default_rng(seed).integers(0, outputs, n)
    return np.eye(outputs, dtype=np.float32)[classes]
