"""What will be trained on, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from darknet_py.cli.console import complain, say_line
from darknet_py.cli.progress import Progress
from darknet_py.text import one_line

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.check import Report
    from darknet_py.tasks.data import Data

_CLASSES = 20
_EXAMPLES = 5


def look_at(
    data: Data,
    net: Network | None = None,
    decode: bool | None = None,
    *,
    averaged: bool = False,
    processes: int = 1,
    quiet: bool = False,
) -> Report:
    """As tasks.check.check; unless it is to be quiet with a count of the pictures on a terminal."""
    from darknet_py.tasks.check import check

    with closing(PictureCount(quiet)) as count:
        return check(data, net, decode, averaged=averaged, processes=processes, show=count.show)


class PictureCount:
    """How many pictures were looked at, on a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._progress = Progress(shown=not quiet)

    def show(self, done: int, total: int) -> None:
        self._progress.total = total
        self._progress.show(done, f"{done:,}/{total:,} pictures checked")

    def close(self) -> None:
        self._progress.close()


def say_report(report: Report, quiet: bool) -> None:
    """On stderr; where it is to be quiet what the user must know alone. Exits with 1 where a
    training cannot begin."""
    for line in warning_lines(report) if quiet else report_lines(report):
        say_line(line, err=True)
    say_problems(report)


def say_problems(report: Report) -> None:
    """On stderr; exits with 1 if there are any."""
    for problem in report.problems:
        complain(problem)
    if report.problems:
        click.get_current_context().exit(1)


def report_lines(report: Report) -> Iterator[str]:
    """The report of tasks.check, line by line."""
    data = report.data
    train, valid = data.training(), data.valid
    held = f"{len(valid)} to validate with" if valid else "none to validate with"
    yield (
        f"{data.path}: {_count(len(data.names), 'class', 'es')}, "
        f"{_count(len(train), 'picture')} to train on, {held}"
    )
    yield from _class_lines(report)
    yield from warning_lines(report)
    if report.memory is not None:
        each = " on each GPU" if report.processes > 1 else ""
        yield f"memory: about {report.memory / 2**20:,.0f} MB{each}"
    yield f"backups: {data.backup}"


def warning_lines(report: Report) -> Iterator[str]:
    """What is left out, guessed or wrong with the pictures."""
    data = report.data
    yield from data.notes
    counts = report.usable()[0].counts()
    empty = [name for name, count in zip(data.names, counts, strict=True) if not count]
    if empty:
        yield f"classes without a picture to train on: {', '.join(empty[:_EXAMPLES])}"
        yield from _more(len(empty))
    refused = [*report.refused_train, *report.refused_valid]
    if refused:
        verb = "is" if len(refused) == 1 else "are"
        yield f"{_count(len(refused), 'picture')} cannot be read and {verb} left out:"
        yield from (f"  {refusal.error}" for refusal in refused[:_EXAMPLES])
        yield from _more(len(refused))
    if not report.decoded:
        yield (
            "so many pictures are not read whole before: one that is cut short is found by its "
            "batch, and left out then"
        )
    if report.shared:
        verb = "is" if len(report.shared) == 1 else "are"
        yield f"{_count(len(report.shared), 'picture')} to validate with {verb} trained on too:"
        yield from (f"  {path}" for _, path in report.shared[:_EXAMPLES])
        yield from _more(len(report.shared))


def _count(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{plural if number != 1 else ''}"


def say_weights(names: Sequence[str], weights: Sequence[float] | None, quiet: bool) -> None:
    """How much the pictures of each class count, where they do not alike; on stderr."""
    if weights and not quiet:
        for line in weight_lines(names, weights):
            say_line(line, err=True)


def weight_lines(names: Sequence[str], weights: Sequence[float]) -> Iterator[str]:
    """The same, line by line."""
    if len(names) > _CLASSES:
        yield f"weights of the classes: {min(weights):.3g} to {max(weights):.3g}"
        return
    yield "weights of the classes:"
    names = [*map(one_line, names)]
    width = max(map(len, names))
    for name, weight in zip(names, weights, strict=True):
        yield f"  {name:<{width}}  {weight:7.3g}"


def _class_lines(report: Report) -> Iterator[str]:
    names, train = [*map(one_line, report.data.names)], report.data.training().counts()
    valid = report.data.valid.counts() if report.data.valid else [0] * len(names)
    if len(names) <= _CLASSES:
        width = max(map(len, names))
        for name, one, other in zip(names, train, valid, strict=True):
            yield f"  {name:<{width}}  {one:7d} {other:7d}"
    else:
        yield f"  {min(train)} to {max(train)} pictures a class to train on"


def _more(count: int) -> Iterator[str]:
    if count > _EXAMPLES:
        yield f"  and {count - _EXAMPLES} more"
