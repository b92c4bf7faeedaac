"""A learning rate that depends on the loss, as PyTorch's ReduceLROnPlateau: policy=plateau."""

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
"""Most batches with a NaN loss without a whole window between: with more, it is not the rate."""
_LARGEST = 1e100
"""Above all squares of losses, which are float32, and small enough to be squared."""
_AT_FIRST = 0.5
"""plateau_climb where a window is compared with single batches."""
_NOISE = 4
"""Standard errors of the best window by which a mean must exceed it to climb."""


@dataclass(frozen=True)
class PlateauSettings:
    """Keys of [net] with policy=plateau.

    plateau_window (100): batches that one mean loss is taken of. plateau_climb (.1): a mean above
    the best one by this share of it climbs. plateau_factor (5): a climb divides the rate by it.
    plateau_threshold (.01): a mean below the last good one by this share of it is progress.
    plateau_patience (3): windows without progress until the loss stands. plateau_step (2): what the
    rate is then multiplied with or divided by. learning_rate_min (0): the least rate.
    """

    window: int
    climb: float
    factor: float
    threshold: float
    patience: int
    step: float
    least: float
    """The least rate, as a share of learning_rate."""


@dataclass(frozen=True)
class Snapshot:
    """A network to return to, on the host. arrays: see snapshot.arrays_of; steps: of the optimiser;
    average_steps: of an average, or 0; batch: the number of batches seen. Counters of random draws
    are not restored."""

    arrays: dict[str, np.ndarray]
    steps: int
    average_steps: int
    batch: int


class WindowMean(NamedTuple):
    """A window of batches. mean: of their losses; is_best: whether it is the lowest so far."""

    mean: float
    is_best: bool
    verdict: Verdict | None


@dataclass
class Plateau:
    """A factor of the rate: a pure function of the losses so far, by windows.

    - A mean above the best by plateau_climb, and significantly, climbs: the rate is divided by
      plateau_factor, and the caller returns to the best weights (`kept`).
    - After plateau_patience means without progress their trend, the slope of a least-squares line,
      decides: if they fall, the rate is too low, and is multiplied by plateau_step; else divided.

    At the start, and after a return, a mean is also compared with the first losses of windows,
    which are those of the very weights, so that a first window that diverges climbs, and a best
    mean by chance is corrected. The first mean that does not climb is then the best.
    """

    how: PlateauSettings
    factor: float = 1.0
    """Of the rate."""
    best: float | None = None
    """The lowest mean since the last return."""
    noise: float = 0.0
    """Its standard error."""
    mark: float | None = None
    """The mean that progress is measured from."""
    recent: list[float] = field(default_factory=list)
    """Means since the last progress, or the last change of the rate."""
    total: float = 0.0
    squares: float = 0.0
    count: int = 0
    """Of the losses in this window: their sum, that of their squares, their number."""
    is_back: bool = True
    """Whether all means since the start, or since the last return, climbed."""
    start: float = 0.0
    starts: int = 0
    """Of the windows' first losses since then: their sum, their number."""
    lost: int = 0
    """Batches with a NaN loss since the last whole window."""
    kept: Snapshot | None = None
    """The network at the best mean."""

    def observe(self, loss: float) -> WindowMean | None:
        """Adds a batch's loss, a finite number; at the end of a window, its mean."""
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
            return WindowMean(mean, False, "climbs")
        if self.best is None or self.is_back or mean < self.best:
            restarts = self.best is None or self.is_back
            self.best, self.noise, self.is_back = mean, noise, False
            self.start, self.starts = 0.0, 0
            return WindowMean(mean, True, self._trend(mean, restarts))
        return WindowMean(mean, False, self._trend(mean))

    def lose(self) -> bool:
        """A batch's loss was NaN: a climb, at once. False after too many of them."""
        self.lost += 1
        self.total, self.squares, self.count = 0.0, 0.0, 0
        self._go_back()
        return self.lost <= _LOST

    def state_dict(self) -> dict[str, Any]:
        """All but the settings and the snapshot, as JSON."""
        return {name: getattr(self, name) for name in _STATE}

    def load_state_dict(self, notes: dict[str, Any]) -> None:
        """Loads what `state_dict` gave, and check_state_dict has checked."""
        for name in _STATE:
            setattr(self, name, notes[name])

    def _end_window(self) -> tuple[float, float]:
        """Its mean loss, and the mean's standard error."""
        mean = self.total / self.count
        error = math.sqrt(max(self.squares / self.count - mean * mean, 0) / self.count)
        self.total, self.squares, self.count, self.lost = 0.0, 0.0, 0, 0
        return mean, error

    def _limit(self) -> float:
        """A mean above it climbs."""
        limits = []
        if self.best is not None:
            limits.append(self.best + max(self.how.climb * self.best, _NOISE * self.noise))
        if self.is_back:
            limits.append((1 + _AT_FIRST) * self.start / self.starts)
        return max(limits)

    def _go_back(self) -> None:
        self.is_back = True
        self._slow_down(self.how.factor)

    def _trend(self, mean: float, restarts: bool = False) -> Verdict | None:
        if restarts or self.mark is None or mean < self.mark * (1 - self.how.threshold):
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


_STATE = [each.name for each in dataclasses.fields(Plateau) if each.name not in ("how", "kept")]


def check_state_dict(notes: Any) -> dict[str, Any]:
    """A `Plateau.state_dict` read from a file. Raises BadValueError."""
    found = fields(notes, "plateau", _STATE)
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
    for name in _STATE:
        checks[name](found[name], f"plateau's {name}")
    has_start = found["starts"] or not found["count"]
    if not (has_start if found["is_back"] else found["best"] is not None):
        raise BadValueError("plateau has nothing to compare a look with")
    return found


def _slope(values: list[float]) -> float:
    """Of the least-squares line through values at 0, 1, 2, ..., times a positive factor."""
    middle = (len(values) - 1) / 2
    return sum((place - middle) * value for place, value in enumerate(values))
