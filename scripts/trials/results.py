"""What trials of a kind came to, and the table of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from darknet_py.text import one_line

_SHOWN = 20
"""Sorts of failure of a kind that are shown in full."""
_WIDE = 400
"""Characters of a line that are shown."""
_REPEATED = 3
"""Trials of one sort for which it is said how to repeat them."""


@dataclass(frozen=True)
class Failure:
    """A trial that failed: what was wrong in a line, and where, in some."""

    number: int
    what: str
    trace: str

    @property
    def sort(self) -> str:
        """Equal for what is likely the same fault: numbers and quoted words do not count."""
        frames = re.findall(r'File "[^"]*", line [0-9]+', self.trace)
        what = re.sub(r"'[^']*'|\"[^\"]*\"|[0-9]+", "_", self.what.splitlines()[0])
        return f"{what[:60]} {frames[-1] if frames else ''}"


@dataclass
class Result:
    """Of one kind: how often each label came, and what failed. seconds: of clock."""

    kind: str
    labels: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0

    @property
    def trials(self) -> int:
        return self.labels.total() + len(self.failures)


def table(results: Sequence[Result], seed: int) -> str:
    """A row for each kind, then what failed, with the command that repeats it."""
    head = ("kind", "trials", "seconds", "failed", "")
    rows = [
        (
            result.kind,
            f"{result.trials:,}",
            f"{result.seconds:,.1f}",
            f"{len(result.failures):,}",
            _labels(result),
        )
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(*([head, *rows]), strict=True)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  "
        f"{row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in [head, *rows]
    ]
    trials = sum(result.trials for result in results)
    failed = sum(len(result.failures) for result in results)
    lines.append(f"seed {seed}: {trials:,} trials, {failed:,} failed")
    return "\n".join([*lines, *(text for each in results for text in _failures(each, seed))])


def _labels(result: Result) -> str:
    if not result.trials:
        return "no trial came to its end"
    return ", ".join(f"{label} {count:,}" for label, count in result.labels.most_common())


def _failures(result: Result, seed: int) -> list[str]:
    sorts: dict[str, list[Failure]] = {}
    for failure in result.failures:
        sorts.setdefault(failure.sort, []).append(failure)
    lines = []
    for failures in list(sorts.values())[:_SHOWN]:
        first = failures[0]
        first_line, *others = map(_cut, first.what.splitlines() or [""])
        lines += ["", f"{result.kind}: {first_line}", *(f"    {line}" for line in others)]
        if len(failures) > 1:
            lines.append(f"({len(failures):,} times so)")
        lines += [f"    {line}" for line in map(_cut, first.trace.rstrip().splitlines())]
        lines += [f"  {repeat(result.kind, seed, each.number)}" for each in failures[:_REPEATED]]
    if len(sorts) > _SHOWN:
        lines += ["", f"{result.kind}: {len(sorts) - _SHOWN:,} sorts of failure more"]
    return lines


def _cut(text: str) -> str:
    """A line as it can be shown: what was tried may well stand in it."""
    text = one_line(text)
    return text if len(text) <= _WIDE else f"{text[:_WIDE]} ..."


def repeat(kind: str, seed: int, number: int) -> str:
    """The command that repeats a trial."""
    return f"scripts/torture --only {kind} --seed {seed} --trial {number}"
