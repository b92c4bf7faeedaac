"""A learning rate that follows the loss: policy=plateau."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from darknet_py.untrusted import (
    BadValueError,
    boolean,
    fields,
    integer,
    items,
    number,
    optional,
)

Verdict = Literal["climbs", "falls", "stands"]

_LOST = 8
"""Batches whose loss is no number, and no whole window between: with more, it is not the rate."""


_LARGEST = 1e100
"""Above all squares of losses, which are float32, and below what overflows when it is squared."""
_AT_FIRST = 0.5
"""What plateau_climb is where a look is compared with single batches."""
_NOISE = 4
"""Standard errors of the best look that another must be above it to climb: it was a lucky one."""


@dataclass(frozen=True)
class PlateauSettings:
    """Keys of [net] with policy=plateau.

    plateau_window (100): batches whose mean loss is one look. plateau_climb (.1): a look that is so
    much of the best one above it climbs. plateau_factor (5): what a loss that climbs divides the
    rate by. plateau_threshold (.01): a look that is so much of the last good one below it is
    progress. plateau_patience (3): looks without progress until the loss stands. plateau_step (2):
    what the rate is multiplied with or divided by then. learning_rate_min (0): the least rate.
    """

    window: int
    climb: float
    factor: float
    threshold: float
    patience: int
    step: float
    least: float
    """The least rate, as a part of learning_rate."""


@dataclass(frozen=True)
class Snapshot:
    """A network to go back to, on the host. arrays: see snapshot.arrays_of;
    steps: of the optimiser; average_steps: of an average, or 0; batch:
    the number of batches seen. What layers draw at random is not gone back to."""

    arrays: dict[str, np.ndarray]
    steps: int
    average_steps: int
    batch: int


class Look(NamedTuple):
    """What a window of batches says. mean: of their losses; is_best: there was none lower."""

    mean: float
    is_best: bool
    verdict: Verdict | None


@dataclass
class Plateau:
    """Turns losses into a factor of the rate; a pure function of the losses that it was shown.

    - A look above the best by plateau_climb, and by more than chance, climbs: the rate is divided
      by plateau_factor, and whoever asked goes back to the best weights (`kept`).
    - plateau_patience looks without progress stand. Their trend, the slope of the line through
      them, decides: where it falls, the rate is too low, and is multiplied by plateau_step; else
      it is divided.

    At the start, and after going back, a look is also compared with the batches that windows began
    with: these saw the very weights, so that a first window that spoils them climbs, and a best
    look that was luck is found out. The first look from there that does not climb is the best.
    """

    how: PlateauSettings
    factor: float = 1.0
    """What the rate is multiplied with."""
    best: float | None = None
    """The lowest look since the weights were last gone back to."""
    noise: float = 0.0
    """Its standard error."""
    mark: float | None = None
    """The look that the next progress is measured from."""
    recent: list[float] = field(default_factory=list)
    """Looks since the last progress, or the last change of the rate."""
    total: float = 0.0
    squares: float = 0.0
    count: int = 0
    """Of the losses in this window: their sum, that of their squares, their number."""
    is_back: bool = True
    """Whether there was no look yet that did not climb: since the start, or since going back."""
    start: float = 0.0
    starts: int = 0
    """Of the losses that windows have begun with since then: their sum, their number."""
    lost: int = 0
    """Batches whose loss was no number since the last whole window."""
    kept: Snapshot | None = None
    """The network as it was at the best look."""

    def observe(self, loss: float) -> Look | None:
        """Takes note of a batch's loss, a number; at the end of a window, what it says."""
        if self.is_back and self.count == 0:
            self.start += loss
            self.starts += 1
        self.total += loss
        self.squares += loss * loss
        self.count += 1
        if self.count < self.how.window:
            return None
        mean, noise = self._end_window()
        if mean > self._limit():
            self._go_back()
            return Look(mean, False, "climbs")
        if self.best is None or self.is_back or mean < self.best:
            anew = self.best is None or self.is_back
            self.best, self.noise, self.is_back = mean, noise, False
            self.start, self.starts = 0.0, 0
            return Look(mean, True, self._trend(mean, anew))
        return Look(mean, False, self._trend(mean))

    def lose(self) -> bool:
        """A batch's loss was no number: as a climb, at once. False where it is of no use."""
        self.lost += 1
        self.total, self.squares, self.count = 0.0, 0.0, 0
        self._go_back()
        return self.lost <= _LOST

    def notes(self) -> dict[str, Any]:
        """All but the settings and what is kept, as JSON."""
        return {name: getattr(self, name) for name in _NOTED}

    def take_up(self, notes: dict[str, Any]) -> None:
        """Goes on from what `notes` gave, and check_notes has let pass."""
        for name in _NOTED:
            setattr(self, name, notes[name])

    def _end_window(self) -> tuple[float, float]:
        """The mean of its losses, and the mean's standard error."""
        mean = self.total / self.count
        error = math.sqrt(max(self.squares / self.count - mean * mean, 0) / self.count)
        self.total, self.squares, self.count, self.lost = 0.0, 0.0, 0, 0
        return mean, error

    def _limit(self) -> float:
        """A look above it climbs."""
        limits = []
        if self.best is not None:
            limits.append(self.best + max(self.how.climb * self.best, _NOISE * self.noise))
        if self.is_back:
            limits.append((1 + _AT_FIRST) * self.start / self.starts)
        return max(limits)

    def _go_back(self) -> None:
        self.is_back = True
        self._slow_down(self.how.factor)

    def _trend(self, mean: float, anew: bool = False) -> Verdict | None:
        if anew or self.mark is None or mean < self.mark * (1 - self.how.threshold):
            self.mark, self.recent = mean, []
            return None
        self.recent.append(mean)
        if len(self.recent) < self.how.patience:
            return None
        falls = _slope(self.recent) < 0
        self.mark, self.recent = self.best, []
        if falls:
            self.factor *= self.how.step
            return "falls"
        self._slow_down(self.how.step)
        return "stands"

    def _slow_down(self, by: float) -> None:
        self.factor = min(self.factor, max(self.factor / by, self.how.least))
        self.mark, self.recent = self.best, []


_NOTED = [each.name for each in dataclasses.fields(Plateau) if each.name not in ("how", "kept")]


def check_notes(notes: Any) -> dict[str, Any]:
    """What `Plateau.notes` may have given, read from a file. Raises BadValueError."""
    found = fields(notes, "plateau", _NOTED)
    loss = partial(number, least=-_LARGEST, most=_LARGEST)
    positive = partial(number, least=0, most=_LARGEST)
    checks: dict[str, Callable[[Any, str], Any]] = {
        **dict.fromkeys(("factor", "noise", "squares"), positive),
        **dict.fromkeys(("total", "start"), loss),
        **dict.fromkeys(("best", "mark"), optional(loss)),
        **dict.fromkeys(("count", "starts", "lost"), integer),
        "is_back": boolean,
        "recent": partial(items, check=loss),
    }
    for name in _NOTED:
        checks[name](found[name], f"plateau's {name}")
    has_start = found["starts"] or not found["count"]
    if not (has_start if found["is_back"] else found["best"] is not None):
        raise BadValueError("plateau has nothing to compare a look with")
    return found


def _slope(values: list[float]) -> float:
    """Of the least-squares line through values at 0, 1, 2, ..., but for a factor above 0."""
    middle = (len(values) - 1) / 2
    return sum((place - middle) * value for place, value in enumerate(values))
