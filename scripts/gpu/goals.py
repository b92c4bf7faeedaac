"""What is to be shown, and whether it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from scripts.gpu.accuracy import PRECISIONS as ORACLE
from scripts.gpu.accuracy import figures
from scripts.gpu.loader import NETWORKS as LOADED
from scripts.gpu.nightmare import TASK
from scripts.gpu.rows import (
    DREAM_LIMITS,
    EXCEPTIONS,
    LIMITS,
    TIMES,
    Case,
    Compared,
    Dreamed,
    Loaded,
    Row,
    Suite,
)

MET, MISSED, UNKNOWN = "met", "missed", "not measured"
WAITED = 0.05
"""The largest share of a step that waits for pictures."""
NIGHTMARE = 1.0
"""Seconds."""
NETWORKS = ("tiny", "darknet19", "resnet50")
PRECISIONS = ("tf32", "half")
BATCHES = (1, 64)
TRAINING_BATCH = 64
WORKS = (*(("inference", batch) for batch in BATCHES), ("training", TRAINING_BATCH))
TWICE = 2.0
"""How many times as fast one picture is: PyTorch launches kernel by kernel."""
WORDS = {
    "tf32": "with products of TF32",
    "exact": "with whole floats (`--exact`)",
    "half": "with bfloat16 (`--half`)",
}

T = TypeVar("T", bound=Row)


class Goal(NamedTuple):
    """What, the figures that say so, and MET, MISSED or UNKNOWN."""

    what: str
    figure: str
    state: str


class _Figure(NamedTuple):
    text: str
    is_good: bool


def goals(rows: Sequence[Row]) -> list[Goal]:
    """All of them. A goal of which a figure is missing is not met."""
    found = [_tests(rows)]
    found += [_oracle(rows, precision) for precision in ORACLE]
    found += [_answers(rows, precision) for precision in LIMITS]
    for precision in PRECISIONS:
        found += [_speed(rows, work, batch, precision, 1.0) for work, batch in WORKS]
        found.append(_speed(rows, "inference", 1, precision, TWICE))
    return [*found, _loader(rows), _nightmare(rows)]


def _goal(what: str, found: Sequence[_Figure], expected: int, summary: str = "") -> Goal:
    figure = summary or ", ".join(each.text for each in found)
    if not all(each.is_good for each in found):
        return Goal(what, figure, MISSED)
    return Goal(what, figure, MET if len(found) >= expected else UNKNOWN)


def _of(kind: type[T], rows: Iterable[Row], which: Callable[[T], bool]) -> list[T]:
    return [row for row in rows if isinstance(row, kind) and which(row)]


def _tests(rows: Sequence[Row]) -> Goal:
    found = _of(Suite, rows, lambda _: True)
    return _goal(
        "all tests that need a device pass", [_Figure(row.line, row.passed) for row in found], 1
    )


def _oracle(rows: Sequence[Row], precision: str) -> Goal:
    found = _of(Case, rows, lambda row: row.precision == precision)
    but = ", ".join(f"{name}: {limit:g}" for name, limit in EXCEPTIONS.items())
    if DREAM_LIMITS[precision] != LIMITS[precision]:
        but += f", dreams: {DREAM_LIMITS[precision]:g}"
    what = f"the C program's figures within {LIMITS[precision]:g} ({but}) {WORDS[precision]}"
    errors = [(f"{row.kind}, {row.name}", row) for row in found]
    return _within(what, errors, len(figures()))


def _answers(rows: Sequence[Row], precision: str) -> Goal:
    found = _of(Compared, rows, lambda row: row.precision == precision and row.work != "dream")
    what = (
        f"at most {TIMES:g} times as far from float64's answers as PyTorch's, its losses within "
        f"{LIMITS[precision]:g}, {WORDS[precision]}"
    )
    errors = [(f"{row.work}, {row.network}, {row.batch}", row) for row in found]
    works = 1 if precision == "exact" else len(WORKS)
    return _within(what, errors, len(NETWORKS) * works)


def _within(what: str, found: Sequence[tuple[str, Case | Compared]], expected: int) -> Goal:
    """How many are, and which is nearest to its limit."""
    if not found:
        return _goal(what, [], expected)
    name, worst = max(found, key=lambda each: each[1].error / each[1].limit)
    good = sum(row.is_good for _, row in found)
    summary = f"{good} of {expected}; worst {worst.error:.1e} ({name})"
    return _goal(what, [_Figure(name, row.is_good) for name, row in found], expected, summary)


def _speed(rows: Sequence[Row], work: str, batch: int, precision: str, least: float) -> Goal:
    found = _of(
        Compared, rows, lambda row: (row.work, row.batch, row.precision) == (work, batch, precision)
    )
    faster = "as fast as" if least == 1 else f"{least:g} times as fast as"
    what = f"{work}, batch {batch}, at least {faster} PyTorch {WORDS[precision]}"
    each = [
        _Figure(f"{row.network} {row.ratio:.2f} ({row.best})", row.ratio >= least)
        for row in found
        if row.ratio is not None
    ]
    return _goal(what, each, len(NETWORKS))


def _loader(rows: Sequence[Row]) -> Goal:
    found = _of(Loaded, rows, lambda _: True)
    each = [_Figure(f"{row.network} {100 * row.share:.1f} %", row.share < WAITED) for row in found]
    what = f"training loses less than {100 * WAITED:g} % of a step to waiting for pictures"
    return _goal(what, each, len(LOADED))


def _nightmare(rows: Sequence[Row]) -> Goal:
    found = _of(Dreamed, rows, lambda row: row.what == TASK)
    each = [_Figure(f"{row.seconds:.2f} s ({row.on})", row.seconds < NIGHTMARE) for row in found]
    return _goal(f"a nightmare of vgg-conv in less than {NIGHTMARE:g} s", each, 1)
