"""An axis of a chart: from where to where, its ticks, and their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_HUGE = 1e280  # Beyond that, room around it overflows.
_FINEST = 1e-12  # Of the largest value: a span below that is rounding, not a rise.
_PADDING = 0.04  # Of the span, on both sides.
_NEAR_ZERO = 0.35  # Of the span: a zero that close is shown.
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_ROUND = ("1.000", "2.000", "5.000")

Values = npt.NDArray[np.float64]


class Axis(NamedTuple):
    """What lies between `low` and `high`; of a logarithmic axis these are powers of ten."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    """Whether nothing lies between 1 and 2, as with numbers of batches."""

    def shares(self, values: Values) -> Values:
        """Where each value lies, 0 at `low` to 1 at `high`; NaN for what has no place."""
        placed = np.isfinite(values) & ((values > 0) | (not self.log))
        places = np.clip(np.where(placed, values, np.nan), -_HUGE, _HUGE)
        if self.log:
            places = np.log10(np.maximum(places, 1 / _HUGE))
        with np.errstate(over="ignore"):  # Far outside a narrow axis is infinitely far.
            shares: Values = (places - self.low) / (self.high - self.low)
        return shares

    def ticks(self, most: int) -> list[float]:
        """At most `most` (2 or more) round values within the axis."""
        if self.log:
            return log_ticks(self.low, self.high, most)
        return ticks(self.low, self.high, most, self.whole)

    def labels(self, values: Sequence[float]) -> list[str]:
        """The axis's ticks as text."""
        if self.log and all(f"{value:.3e}"[:5] in _ROUND for value in values):
            return [_brief(value) for value in values]
        return tick_labels(values)


def fit_axis(values: Values, log: bool = False) -> Axis:
    """The axis on which all values that have a place on it are seen, with some room around.

    `values`: any shape; what is not finite, or on a logarithmic axis not above 0, is left out.
    An axis of one value has it in the middle; one of none goes from 0 to 1 (or 1 to 10).
    """
    shown = values[np.isfinite(values) & (values > 0 if log else True)]
    if not shown.size:
        return Axis(0, 1, log)
    low, high = (float(np.clip(end, -_HUGE, _HUGE)) for end in (shown.min(), shown.max()))
    whole = not log and bool((shown == np.rint(shown)).all())
    if log:
        low, high = (math.log10(max(end, 1 / _HUGE)) for end in (low, high))
    largest = max(abs(low), abs(high))
    if high - low <= max(_FINEST * largest, 1 / _HUGE):
        return Axis(*_around((low + high) / 2, log), log, whole)
    return Axis(*_roomy(low, high, log), log, whole)


def _around(value: float, log: bool) -> tuple[float, float]:
    if log:
        return value - 1, value + 1
    half = abs(value) / 2 if abs(value) > 1 / _HUGE else 1.0
    return value - half, value + half


def _roomy(low: float, high: float, log: bool) -> tuple[float, float]:
    span = high - low
    if not log and 0 <= low < _NEAR_ZERO * span:
        return 0.0 if low else -_PADDING * span, high + _PADDING * span
    if not log and 0 <= -high < _NEAR_ZERO * span:
        return low - _PADDING * span, 0.0 if high else _PADDING * span
    return low - _PADDING * span, high + _PADDING * span


def ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten in low..high, the finest at most `most`.

    `whole`: no finer than 1. At a span of more than about 1e-12 of the values there are two or
    more, unless `whole` forbids, or `most` is below 4.
    """
    exponent = math.floor(math.log10((high - low) / most))
    while True:
        for digit in (1, 2, 5):
            step = _tenfold(digit, exponent)
            first = math.ceil(low / step - 1e-9)
            last = math.floor(high / step + 1e-9)
            if last - first < most and (step >= 1 or not whole):
                return [_tenfold(digit * i, exponent) for i in range(first, last + 1)]
        exponent += 1


def _tenfold(number: int, exponent: int) -> float:
    """number * 10**exponent, rounded once: 3 tenths are 0.3."""
    return number / 10**-exponent if exponent < 0 else float(number * 10**exponent)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round values from 10**low to 10**high.

    Powers of ten, every n-th of them where they are many; in between 2 and 5 of each where they
    are few; `ticks` where the axis spans less.
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    apart = max(1, math.ceil((last - first + 1) / most))
    tens = [_tenfold(1, n) for n in range(-(-first // apart) * apart, last + 1, apart)]
    finer = [
        _tenfold(digit, n)
        for n in range(first - 1, last + 1)
        for digit in (1, 2, 5)
        if low - 1e-9 <= math.log10(_tenfold(digit, n)) <= high + 1e-9
    ]
    if 2 < len(finer) <= most:
        return finer
    return tens if len(tens) > 1 else ticks(10.0**low, 10.0**high, most)


def tick_labels(values: Sequence[float]) -> list[str]:
    """Ticks of even distance as text: as many digits as tell them apart, and no more.

    Large ones in thousands (k), millions (M) or billions (G) where that saves digits, such as
    200k; the smallest and the largest as 2e-7. One value alone is taken for a power of ten times
    1, 2 or 5.
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0:
        return ["0" for _ in values]
    step = min((b - a for a, b in pairwise(values)), default=largest)
    for unit, suffix in _UNITS:
        if _saves_digits(unit, largest, step):
            return [_fixed(value / unit, _decimals(step / unit), suffix) for value in values]
    digits = _magnitude(largest) - _magnitude(step) + 1
    if largest >= 1e-4 and step < 1e4 and digits <= 12:
        return [_fixed(value, _decimals(step), "") for value in values]
    return [_scientific(value, digits - 1) for value in values]


def _brief(value: float) -> str:
    return tick_labels([value])[0] if value < 1e6 else _scientific(value, 0)


def _saves_digits(unit: float, largest: float, step: float) -> bool:
    # 1000 stays 1000, and 0.1M is no shorter than 100k.
    if step >= unit:
        return 1e4 <= largest < 1e12
    return max(2 * unit, 1e4) <= largest < 1e12 and _decimals(step / unit) == 1


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)


def _decimals(step: float) -> int:
    return max(0, -_magnitude(step))


def _fixed(value: float, decimals: int, suffix: str) -> str:
    return f"{value:.{decimals}f}{suffix}" if value else "0"


def _scientific(value: float, decimals: int) -> str:
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa}e{int(exponent)}" if value else "0"
