"""Occlusion: how much a class's score falls where the picture is covered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.network import Network
from darknet_py.tasks.explain.target import class_scores

_SHARE = 6
"""The shorter side of the picture holds so many covers side by side."""
_BATCH = 16
_GREY = 0.5


def occlusion(
    net: Network, x: np.ndarray, classes: Sequence[int], size: int | None = None
) -> np.ndarray:
    """Of each class and pixel the mean fall of the score over the covers that hid the pixel.

    Covers are grey (0.5) squares of `size` pixels, half of it apart, the last ones at the edges; a
    sixth of the shorter side unless said. x (c, h, w) of the network's size -> (k, h, w), in the
    score's units, below 0 where the score rose. Source: Zeiler, Fergus 2013, "Visualizing and
    Understanding Convolutional Networks".
    """
    _, h, w = x.shape
    size = min(size or max(min(h, w) // _SHARE, 1), h, w)
    places = [(top, left) for top in _starts(h, size) for left in _starts(w, size)]
    chosen = list(classes)
    whole = class_scores(net, x[None])[0, chosen]
    falls = np.zeros((len(chosen), h, w))
    count = np.zeros((h, w))
    for first in range(0, len(places), _BATCH):
        part = places[first : first + _BATCH]
        scores = class_scores(net, _covered(x, part, size))[:, chosen]
        for (top, left), each in zip(part, scores, strict=True):
            falls[:, top : top + size, left : left + size] += (whole - each)[:, None, None]
            count[top : top + size, left : left + size] += 1
    heat: np.ndarray = (falls / count).astype(np.float32)
    return heat


def _starts(length: int, size: int) -> list[int]:
    """Where covers begin along a side, so that every pixel is hidden."""
    step = max(size // 2, 1)
    return [*range(0, length - size, step), length - size]


def _covered(x: np.ndarray, places: Sequence[tuple[int, int]], size: int) -> np.ndarray:
    covered = np.repeat(x[None], len(places), axis=0)
    for picture, (top, left) in zip(covered, places, strict=True):
        picture[:, top : top + size, left : left + size] = _GREY
    return covered
