"""A training on its way: how it is to go, what it remembers, and where its batches come from."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from darknet_py.errors import PictureError
from darknet_py.images import Batch
from darknet_py.network import Network
from darknet_py.tasks.valid import Evaluation


def never() -> bool:
    """No stop is asked for."""
    return False


@dataclass(frozen=True)
class Options:
    """How to train.

    batches: stop after so many in all (None: the cfg's max_batches; 0 there: for ever).
    save_every: batches between checkpoints, at most save_seconds apart. epochs: keep
    NAME_EPOCH.weights. snapshot: keep NAME_iter_BATCH.weights every so many batches (None: none).
    valid_every: batches between validations (None: an epoch). patience: validations without a
    better one before the run stops (None: never). class_weights: how much the pictures of each
    class count, see there (None: alike). balance: classes come equally often. ema: decay of the
    average of the parameters that is validated and is the outcome (0: none). stop: asked after each
    batch.
    """

    backup: Path
    name: str
    seed: int = 0
    batches: int | None = None
    save_every: int = 100
    save_seconds: float = 600
    epochs: bool = True
    snapshot: int | None = None
    valid_every: int | None = None
    patience: int | None = None
    class_weights: tuple[float, ...] | None = None
    balance: bool = False
    ema: float = 0
    top: int = 5
    workers: int | None = None
    stop: Callable[[], bool] = never


@dataclass
class Progress:
    """What a run remembers beside the network, and its state file keeps."""

    average: float | None = None
    best: float | None = None
    since_best: int = 0
    seed: int = 0
    class_weights: Sequence[float] | None = None
    balance: bool = False

    def notes(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


class Source(Protocol):
    """Where batches come from: images.Loader is one. See there."""

    @property
    def waited(self) -> float: ...

    def batches(self, start: int = 0) -> Generator[Batch]: ...

    def paths(self, number: int) -> list[Path]: ...

    def untold(self) -> list[PictureError]: ...


Judge = Callable[[Network], Evaluation]
"""How well a network knows the validation set."""


@dataclass
class Run:
    """A training on its way."""

    net: Network
    source: Source
    epoch: int
    """Pictures in an epoch."""
    judge: Judge | None
    options: Options
    progress: Progress
    saved_at: float = field(default_factory=time.monotonic)
    told: set[str] = field(default_factory=set)
    """What was said of pictures that cannot be read any more."""

    def path(self, suffix: str) -> Path:
        return self.options.backup / f"{self.options.name}{suffix}"
