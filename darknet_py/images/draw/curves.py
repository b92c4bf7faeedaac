"""Curves before they are drawn: smoothed, thinned, and the upper limit of their axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.arrays import Doubles, Indices

HUGE = 1e100
"""Larger values count as infinite."""
_DIVERGENCE = 10  # Times the range of three quarters of a curve.


def smooth(values: Sequence[float], keep: float = 0.9) -> list[float]:
    """The exponential moving average of values, with decay `keep` and Adam's bias correction.

    A value that is not finite stays as it is and is left out of the average. Raises ValueError for
    a `keep` that is not in 0 to below 1.
    """
    if not 0 <= keep < 1:
        raise ValueError(f"keep={keep} is not in 0 to below 1")
    smoothed, average, weight = [], 0.0, 0.0
    for value in values:
        if not math.isfinite(value):
            smoothed.append(float(value))
            continue
        weight = weight * keep + 1
        average = average * (1 - 1 / weight) + float(value) / weight
        smoothed.append(average)
    return smoothed


def top_without_spikes(curves: Iterable[npt.ArrayLike]) -> float:
    """The largest value of curves without spikes and divergence, which would flatten the rest.

    A spike is above the highest moving median (over a twentieth of a curve, five points at least)
    by more than the range of all of these; divergence is, after the curve's first fall, ten times
    as high as the range of three quarters of its values. What is not finite is left out; 1 where
    nothing remains.
    """
    rows = [row[np.abs(row) < HUGE] for row in (np.asarray(c, np.float64) for c in curves)]
    rows = [row for row in rows if row.size]
    if not rows:
        return 1.0
    medians = np.concatenate([_moving_medians(row) for row in rows])
    values = np.concatenate(rows)
    high, low = float(medians.max()), min(float(medians.min()), float(values.min()))
    span = high - low or abs(high) or 1.0
    return float(values[values <= high + span].max())


def _moving_medians(row: Doubles) -> Doubles:
    """Medians of each value and its neighbours, fewer near the start, which may be steep; at some
    places only in long rows; without divergence."""
    half = max(2, len(row) // 40)
    early = np.arange(min(len(row), 20))
    places = np.unique([*early, *np.linspace(0, len(row) - 1, 200).astype(np.intp)])
    halves = np.clip(places, 2, half)
    around = zip(np.maximum(places - halves, 0), places + halves + 1, strict=True)
    medians = np.array([np.median(row[first:end]) for first, end in around])
    usual, low = float(np.quantile(row, 0.75)), float(row.min())
    fallen = places >= int((row <= usual).argmax())
    kept: Doubles = medians[~fallen | (medians <= usual + _DIVERGENCE * (usual - low))]
    return kept


def thin(x: Doubles, y: Doubles, columns: int) -> tuple[Doubles, Doubles]:
    """The first, lowest, highest and last point of each of so many columns of pixels, and a gap
    where a value is not finite: they draw the same line as all points. `x`, rising, and `y`: shape
    (n,)."""
    if len(x) <= 4 * columns:
        return x, y
    edges = np.linspace(x[0], x[-1], columns + 1)[1:-1]
    first = np.unique(np.concatenate([[0], np.searchsorted(x, edges)]))
    first = first[first < len(x)]
    last = np.append(first[1:], len(x)) - 1
    finite = np.isfinite(y)
    low = _places(np.where(finite, y, np.inf), first, last)
    high = _places(np.where(finite, -y, np.inf), first, last)
    gaps = _places(np.where(finite, np.inf, 0.0), first, last)
    kept = np.unique(np.concatenate([first, low, high, gaps, last]))
    return x[kept], y[kept]


def _places(values: Doubles, first: Indices, last: Indices) -> Any:
    """The index of each part's least value."""
    return np.array(
        [a + int(values[a : b + 1].argmin()) for a, b in zip(first, last, strict=True)], np.intp
    )
