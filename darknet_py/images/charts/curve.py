"""Points of a series as lines on a canvas: few enough to draw, torn at gaps, dashed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Path = npt.NDArray[np.float64]
"""Points (n, 2) in pixels, x before y, n at least 1."""

_FOLDED = 8  # Times as long as wide and high: a band of noise, in which no dash is seen.


def to_paths(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[Path]:
    """The lines through the points, from left to right; one more after each gap.

    `x`, `y`: shape (n,), in pixels. A y that is not finite is a gap, unless points on both of
    its sides lie in one column of pixels; a point whose x is not finite is nowhere, and left
    out. Of a column's points the first, the lowest, the highest and the last are kept: a
    million make the same picture as their four thousand.
    """
    x, y = _from_the_left(x, y)
    at = np.flatnonzero(np.isfinite(y))
    if not at.size:
        return []
    columns = np.floor(x[at])
    first = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    last = np.append(first[1:], at.size) - 1
    paths = _thin(x[at], y[at], first, last)
    torn = np.flatnonzero(at[first[1:]] - at[last[:-1]] > 1) + 1
    return [_distinct(part.reshape(-1, 2)) for part in np.split(paths, torn)]


def _from_the_left(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    placed = np.isfinite(x)
    x, y = x[placed], y[placed]
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def _thin(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    first: npt.NDArray[np.intp],
    last: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Four points (columns, 4, 2) of each column, whose points lie at first..last."""
    low, high = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    # A falling column meets its highest point first, so that no line runs back and forth.
    falls = y[last] < y[first]
    middle = np.clip(np.floor(x[first]) + 0.5, x[first], x[last])
    ys = [y[first], np.where(falls, high, low), np.where(falls, low, high), y[last]]
    return np.stack([np.stack([x[first], middle, middle, x[last]], 1), np.stack(ys, 1)], 2)


def _distinct(path: Path) -> Path:
    """Without points that repeat the one before."""
    moved = np.any(path[1:] != path[:-1], axis=1)
    distinct: Path = path[np.append(True, moved)]
    return distinct


def to_dashes(path: Path, pattern: tuple[float, ...]) -> list[Path]:
    """The path cut into dashes: pixels on, off, on, off, ... along it, over and over.

    Whole stays a path of one point, any path if the pattern is empty, and one that is folded so
    often that dashes would be lost in it.
    """
    along = np.append(0, np.cumsum(np.hypot(*np.diff(path, axis=0).T)))
    if not pattern or len(path) < 2 or along[-1] > _FOLDED * np.hypot(*np.ptp(path, axis=0)):
        return [path]
    edges = np.append(0, np.cumsum(pattern))
    return [
        _between(path, along, offset + start, offset + end)
        for offset in np.arange(0, along[-1], edges[-1])
        for start, end in zip(edges[:-1:2], edges[1::2], strict=True)
        if offset + start < along[-1]
    ]


def _between(path: Path, along: npt.NDArray[np.float64], start: float, end: float) -> Path:
    """The part of the path from `start` to `end`, where `along` are the places of its points."""
    end = min(end, along[-1])
    inner = along[(along > start) & (along < end)]
    places = np.concatenate([[start], inner, [end]])
    return np.stack([np.interp(places, along, path[:, axis]) for axis in (0, 1)], axis=1)
