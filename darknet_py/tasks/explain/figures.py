"""What a heat map says, in numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """Pixels from (left, top) to just before (right, bottom)."""

    left: int
    top: int
    right: int
    bottom: int


def share_within(heat: np.ndarray, box: Box) -> float:
    """How much of all heat (h, w), from 0 up, lies in a box: 0..1; 0 where there is none."""
    total = float(heat.sum(dtype=np.float64))
    inside = heat[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)]
    return float(inside.sum(dtype=np.float64)) / total if total > 0 else 0.0


def hottest(heat: np.ndarray) -> tuple[int, int]:
    """x and y of the largest value of a map (h, w)."""
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    return int(x), int(y)


def middle(heat: np.ndarray) -> tuple[float, float] | None:
    """x and y of the centre of mass, None where there is no heat."""
    total = float(heat.sum(dtype=np.float64))
    if total <= 0:
        return None
    h, w = heat.shape
    x = float(heat.sum(axis=0, dtype=np.float64) @ (np.arange(w) + 0.5)) / total
    y = float(heat.sum(axis=1, dtype=np.float64) @ (np.arange(h) + 0.5)) / total
    return x, y


def in_words(heat: np.ndarray) -> str:
    """Where the centre of mass is, in thirds of the picture: "upper left", "centre"."""
    place = middle(heat)
    if place is None:
        return "nowhere"
    h, w = heat.shape
    across = ("left", "", "right")[min(int(3 * place[0] / w), 2)]
    down = ("upper", "", "lower")[min(int(3 * place[1] / h), 2)]
    return " ".join(filter(None, [down, across])) or "centre"


def grid(heat: np.ndarray, cells: int = 8) -> np.ndarray:
    """Shares of all heat in `cells` x `cells` equal parts of the picture, rows from the top.

    They sum to 1, or are all 0 where there is no heat.
    """
    rows, columns = (_parts(length, cells) for length in heat.shape)
    sums: np.ndarray = rows @ heat.astype(np.float64) @ columns.T
    total = sums.sum()
    return sums / total if total > 0 else sums


def _parts(length: int, cells: int) -> np.ndarray:
    """(cells, length): how much of each pixel lies in each part of a side."""
    edges = np.linspace(0, length, cells + 1)
    pixels = np.arange(length)
    starts = np.maximum(edges[:-1, None], pixels)
    ends = np.minimum(edges[1:, None], pixels + 1)
    shares: np.ndarray = np.maximum(ends - starts, 0)
    return shares
