"""A training on its way: how it is to go, what it remembers, and where its batches come from."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from darknet_py.errors import PictureError
from darknet_py.images import Batch
from darknet_py.network import Network
from darknet_py.tasks.options import RunOptions
from darknet_py.tasks.split import Split
from darknet_py.tasks.valid import Evaluation


def never() -> bool:
    """No stop is asked for."""
    return False


def nothing() -> None:
    """Nothing is to be done."""


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """How to train.

    seed, share: of all that is drawn, and how much was set aside to validate with. save_every:
    batches between checkpoints, at most save_seconds apart. valid_every, patience: None: as the run
    began. class_weights: how much the pictures of each class count (None: alike). balance: classes
    come equally often. ema: decay of the average of the parameters that is validated and is the
    result (0: none). stop: called after each batch. own_table, replaces: see Progress.
    """

    backup: Path
    name: str
    seed: int = 0
    share: float = 0
    save_every: int = 100
    save_seconds: float = 600
    class_weights: tuple[float, ...] | None = None
    balance: bool = False
    ema: float = 0
    top: int = 5
    workers: int | None = None
    stop: Callable[[], bool] = never
    own_table: bool = False
    replaces: Sequence[str] = ()


@dataclass
class Progress:
    """What a run remembers beside the network, and its state file keeps.

    average: of the losses. best, best_batch: the highest share of first guesses that were right in
    a validation, and when. since_best: validations since then, but for one that the end alone
    brought. run: tells this run from others. own_table: whether its table of figures bears its
    name, as there are other runs in the folder. replaces: files in the folder that a run before it
    has left, and that go once this one has begun. split: the pictures of both sides, where the run
    knows them.
    """

    average: float | None = None
    best: float | None = None
    best_batch: int | None = None
    since_best: int = 0
    seed: int = 0
    share: float = 0
    class_weights: Sequence[float] | None = None
    balance: bool = False
    patience: int | None = None
    valid_every: int | None = None
    own_table: bool = False
    replaces: Sequence[str] = ()
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    split: Split | None = None

    def notes(self) -> dict[str, Any]:
        """As JSON, but for the split."""
        return {name: value for name, value in vars(self).items() if name != "split"}


class Source(Protocol):
    """Where batches come from: images.Loader is one. See there."""

    @property
    def waited(self) -> float: ...

    def batches(self, start: int = 0) -> Generator[Batch]: ...

    def paths(self, number: int) -> list[Path]: ...

    def untold(self) -> list[PictureError]: ...


Evaluate = Callable[[Network], Evaluation]
"""How well a network knows the validation set."""


@dataclass
class Run:
    """A training on its way."""

    net: Network
    source: Source
    epoch: int
    """Pictures in an epoch."""
    evaluate: Evaluate | None
    options: Options
    progress: Progress
    begin: Callable[[], None] = nothing
    """Called once, when the first state is written: from then on the run is there."""
    saved_at: float = field(default_factory=time.monotonic)
    told: set[str] = field(default_factory=set)
    """What was said of pictures that cannot be read any more."""

    def path(self, suffix: str) -> Path:
        return self.options.backup / f"{self.options.name}{suffix}"
