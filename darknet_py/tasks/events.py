"""What happens in a training, as whoever watches it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from darknet_py.errors import DarknetError, PictureError
from darknet_py.tasks.valid import Evaluation


@dataclass(frozen=True)
class Trained:
    """One batch is done. `waited`: seconds that the network waited for pictures, in all."""

    batch: int
    epoch: float
    loss: float
    average: float
    rate: float
    seconds: float
    images: int
    waited: float


@dataclass(frozen=True)
class Validated:
    """The validation set was predicted; `best` if never better before."""

    batch: int
    evaluation: Evaluation
    best: bool


@dataclass(frozen=True)
class Saving:
    """A state is about to be written: a run that goes on from it will not tell again what was told
    before, so what is to be kept of that is written now."""


@dataclass(frozen=True)
class Saved:
    """Weights were written."""

    path: Path


@dataclass(frozen=True)
class SaveFailed:
    """A checkpoint could not be written; earlier ones are whole, and training goes on."""

    error: DarknetError


@dataclass(frozen=True)
class Adjusted:
    """policy=plateau has moved the rate.

    why: the loss "climbs", "falls" too slowly, "stands", or is "no number"; mean: of the losses of
    the window, and best: the lowest such, so far; rate: from now on; kept: the batch of the best
    weights, to which a loss that climbs or is no number has gone back.
    """

    batch: int
    why: str
    mean: float | None
    best: float | None
    rate: float
    kept: int


@dataclass(frozen=True)
class LeftOut:
    """A picture cannot be read any more: another takes its place from now on, or where it is to
    validate with, none."""

    error: PictureError


@dataclass(frozen=True)
class Finished:
    """Why training ended: "done", "stopped" or "patience"; batch: the last one. best, best_batch:
    the best validation's share of right first guesses, 0..1, and when it was; None without one."""

    reason: str
    batch: int = field(default=0, compare=False)
    best: float | None = field(default=None, compare=False)
    best_batch: int | None = field(default=None, compare=False)


Event = Trained | Validated | Saving | Saved | SaveFailed | Adjusted | LeftOut | Finished
