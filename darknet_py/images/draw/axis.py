"""An axis of a chart: from where to where, its ticks, and their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from darknet_py.images.draw.curves import HUGE, Values

_PADDING = 0.04  # Of what an axis spans, on both sides.
_NEAR_ZERO = 0.35  # Of what an axis spans: a zero that close is shown.


class Axis(NamedTuple):
    """What lies between `low` and `high`, by its logarithm if `log`; `whole`: in whole numbers."""

    low: float
    high: float
    log: bool
    whole: bool

    def ticks(self, most: int) -> list[float]:
        """Round values within the axis, at most about so many."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        if self.log:
            few = math.log10(self.high / self.low) < 2
            locator: Any = LogLocator(subs=(1, 2, 5) if few else (1,), numticks=max(most, 2))
            with np.errstate(over="ignore"):  # beyond the axis, where it spans very much
                found = self._within(locator.tick_values(self.low, self.high))
            if len(found) > 1:
                return found
        locator = MaxNLocator(max(most, 1), steps=[1, 2, 5, 10], integer=self.whole, min_n_ticks=1)
        return self._within(locator.tick_values(self.low, self.high))

    def _within(self, ticks: Iterable[float]) -> list[float]:
        room = 0 if self.log else 1e-9 * (self.high - self.low)
        return [float(tick) for tick in ticks if self.low - room <= tick <= self.high + room]


def fit_axis(values: Values, log: bool = False) -> Axis:
    """All finite values, with some room; one value has it on both sides."""
    if not values.size:
        return Axis(1, 10, log, False) if log else Axis(0, 1, log, False)
    low, high = float(values.min()), float(values.max())
    if log:
        factor = (high / low) ** _PADDING if high > low else 10
        return Axis(low / factor, high * factor, log, False)
    whole = bool((values == np.rint(values)).all())
    span = high - low
    if span <= max(1e-12 * max(abs(low), abs(high)), 1 / HUGE):
        half = abs(low) / 2 if abs(low) > 1e-99 else 1.0
        return Axis(low - half, high + half, log, whole)
    room = _PADDING * span
    bottom = 0.0 if 0 < low < _NEAR_ZERO * span else low - room
    top = 0.0 if 0 < -high < _NEAR_ZERO * span else high + room
    return Axis(bottom, top, log, whole)


def tick_label(value: float) -> str:
    """A round number as short as it can be read: 0.001, 200k, 2e-7."""
    size = abs(value)
    if not value:
        return "0"
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if max(unit, 1e4) <= size < 1e12:
            return f"{value / unit:.10g}{suffix}"
    if 1e-4 <= size < 1e4:
        return f"{value:.10g}"
    mantissa, exponent = f"{value:.6e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
