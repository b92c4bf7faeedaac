"""What will be trained on, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from darknet_py.tasks.check import Report

_CLASSES = 20
_EXAMPLES = 5


def say_report(report: Report, quiet: bool) -> None:
    """On stderr; exits with 1 where a training cannot begin."""
    if not quiet:
        for line in report_lines(report):
            click.echo(line, err=True)
    if report.problems:
        for problem in report.problems:
            click.echo(f"darknet: {problem}", err=True)
        click.get_current_context().exit(1)


def report_lines(report: Report) -> Iterator[str]:
    """The report of tasks.check, line by line."""
    data = report.data
    train, valid = data.training(), data.valid
    held = f"{len(valid)} to validate with" if valid else "none to validate with"
    yield f"{data.path}: {len(data.names)} classes, {len(train)} pictures to train on, {held}"
    yield from _class_lines(report)
    refused = [*report.refused_train, *report.refused_valid]
    if refused:
        yield f"{len(refused)} pictures cannot be read and are left out:"
        yield from (f"  {refusal.error}" for refusal in refused[:_EXAMPLES])
        yield from _more(len(refused))
    if report.shared:
        yield f"{len(report.shared)} pictures to validate with are trained on too:"
        yield from (f"  {path}" for _, path in report.shared[:_EXAMPLES])
        yield from _more(len(report.shared))
    if report.memory is not None:
        each = " on each GPU" if report.processes > 1 else ""
        yield f"memory: about {report.memory / 2**20:,.0f} MB{each}"
    yield f"backups: {data.backup}"


def say_weights(names: Sequence[str], weights: Sequence[float] | None, quiet: bool) -> None:
    """How much the pictures of each class count, where they do not alike; on stderr."""
    if weights and not quiet:
        for line in weight_lines(names, weights):
            click.echo(line, err=True)


def weight_lines(names: Sequence[str], weights: Sequence[float]) -> Iterator[str]:
    """The same, line by line."""
    if len(names) > _CLASSES:
        yield f"weights of the classes: {min(weights):.3g} to {max(weights):.3g}"
        return
    yield "weights of the classes:"
    width = max(map(len, names))
    for name, weight in zip(names, weights, strict=True):
        yield f"  {name:<{width}}  {weight:7.3g}"


def _class_lines(report: Report) -> Iterator[str]:
    names, train = report.data.names, report.data.training().counts()
    valid = report.data.valid.counts() if report.data.valid else [0] * len(names)
    if len(names) <= _CLASSES:
        width = max(map(len, names))
        for name, one, other in zip(names, train, valid, strict=True):
            yield f"  {name:<{width}}  {one:7d} {other:7d}"
    else:
        yield f"  {min(train)} to {max(train)} pictures a class to train on"
    empty = [name for name, count in zip(names, train, strict=True) if not count]
    if empty:
        yield f"classes without a picture to train on: {', '.join(empty[:_EXAMPLES])}"
        yield from _more(len(empty))


def _more(count: int) -> Iterator[str]:
    if count > _EXAMPLES:
        yield f"  and {count - _EXAMPLES} more"
