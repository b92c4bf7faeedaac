"""Noisy figures made a line that can be followed."""

from __future__ import annotations

import math
from collections.abc import Sequence


def smooth(values: Sequence[float], keep: float = 0.9) -> list[float]:
    """Of each value and those before it the average, in which every step back counts `keep` times
    as much.

    Weights are divided by their sum (the bias correction of Adam): the first average is the
    first value, not something near 0. A value that is not finite stays as it is and counts for
    nothing. Raises ValueError for a `keep` that is not in 0 to below 1.
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
