"""What is found, row by row; and rows as JSON, which passes from process to process."""

from __future__ import annotations

from typing import Any, NamedTuple

LIMITS = {"tf32": 4e-3, "half": 5e-2, "exact": 1e-4}
"""The largest error, of the largest value: products of TF32, maps of bfloat16, whole floats. TF32
rounds each factor to 11 bits: a product is off by up to 1e-3 of itself, in each of some layers."""
DREAM_LIMITS = {**LIMITS, "tf32": 5e-2}
"""A dream's: where a feature lies at the threshold, rounding decides whether it counts."""
TIMES = 2.0
"""How many times as far from float64's answers as PyTorch's, in the same precision, ours may be."""

EXCEPTIONS = {"connected_bn": 5e-3}
"""Figures that no device of ours meets: where the C program's gradient is not the exact one."""


class Suite(NamedTuple):
    """What pytest says: its last line, and those of what failed or was left out."""

    passed: bool
    line: str
    notes: list[str]


class Case(NamedTuple):
    """A figure of the C program's: how far off, in units of the largest expected value."""

    kind: str
    name: str
    precision: str
    error: float

    @property
    def limit(self) -> float:
        """Of the error."""
        limits = DREAM_LIMITS if self.kind == "dream" else LIMITS
        return EXCEPTIONS.get(self.name, limits[self.precision])

    @property
    def is_good(self) -> bool:
        return self.error <= self.limit


class Compared(NamedTuple):
    """Ours beside PyTorch's. error: of inference from float64's answers, of which peer is
    PyTorch's; else from PyTorch's; in units of the largest value.

    ours, torch: milliseconds, PyTorch's by layout; None and empty where only answers are compared.
    """

    work: str
    network: str
    batch: int
    precision: str
    error: float
    ours: float | None
    torch: dict[str, float]
    peer: float | None = None

    @property
    def best(self) -> str:
        """PyTorch's faster layout."""
        return min(self.torch, key=lambda layout: self.torch[layout])

    @property
    def ratio(self) -> float | None:
        """PyTorch's time by ours: above 1 we are faster."""
        return None if self.ours is None else self.torch[self.best] / self.ours

    @property
    def limit(self) -> float:
        """Of the error. A dream has none: a rounding at a threshold decides about a feature, and
        steps are made equally strong, whatever is in them."""
        if self.peer is not None:
            return max(TIMES * self.peer, LIMITS["exact"])
        return float("inf") if self.work == "dream" else LIMITS[self.precision]

    @property
    def is_good(self) -> bool:
        return self.error <= self.limit


class First(NamedTuple):
    """Seconds of a process that computes once: with empty caches, and the next one's."""

    work: str
    network: str
    batch: int
    compiled: float
    kept: float


class Loaded(NamedTuple):
    """Milliseconds of a training step on pictures from files, how many of them it waited for the
    loader, and of the same step on a batch that is in memory. kilobytes: of a picture's file."""

    network: str
    batch: int
    kilobytes: float
    files: float
    waited: float
    memory: float

    @property
    def share(self) -> float:
        """What is lost of a step: it waits, or the loader's threads slow it, whichever is more."""
        return max(self.waited, self.files - self.memory, 0.0) / self.files


class Dreamed(NamedTuple):
    """Seconds of a dream: what was timed, on what, and with which weights."""

    what: str
    on: str
    seconds: float


class Failure(NamedTuple):
    """A row that there is not, and why: one line."""

    part: str
    row: str
    message: str


Row = Suite | Case | Compared | First | Loaded | Dreamed | Failure
_TYPES = {kind.__name__: kind for kind in (Suite, Case, Compared, First, Loaded, Dreamed, Failure)}


def to_json(row: Row) -> dict[str, Any]:
    return {"type": type(row).__name__, **row._asdict()}


def from_json(values: dict[str, Any]) -> Row:
    fields = dict(values)
    row: Row = _TYPES[fields.pop("type")](**fields)
    return row
