"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from scripts.gpu.goals import goals
from scripts.gpu.results import Result
from scripts.gpu.rows import (
    Case,
    Compared,
    Dreamed,
    Failure,
    First,
    Loaded,
    Row,
    Suite,
)

T = TypeVar("T", bound=Row)


def report(results: Mapping[str, Result]) -> str:
    """Of all parts that were measured, by their names."""
    rows = [row for result in results.values() for row in result.rows]
    sections = [
        "# On a GPU\n\nWritten by `scripts/gpu_report`.",
        _machines(results),
        _table(GOALS, [[each.what, each.figure, each.state] for each in goals(rows)]),
        _table(FAILURES, [[*each] for each in _of(Failure, rows)]),
        *map(_tests, _of(Suite, rows)),
        _table(ACCURACY, _accuracy(_of(Case, rows))),
        _table(COMPARED, map(_compared, _of(Compared, rows))),
        _table(FIRST, map(_first, _of(First, rows))),
        _table(LOADED, map(_loaded, _of(Loaded, rows))),
        _table(
            DREAMED, [[each.what, each.on, f"{each.seconds:.2f}"] for each in _of(Dreamed, rows)]
        ),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


GOALS = """\
## Goals

| goal | figures | |
|---|---|---|"""

FAILURES = """\
## Failures

What was to be measured and was not.

| part | row | why |
|---|---|---|"""

ACCURACY = """\
## Against the C program

Errors in units of the largest value, of all figures of tests/golden. The worst is the one nearest
to its limit, or farthest beyond.

| figures | precision | cases | worst error | of | its limit | missed |
|---|---|---|---|---|---|---|"""

COMPARED = """\
## Against PyTorch

Milliseconds, medians of calls in turns, with the same weights and pictures: inference from pictures
on the host to probabilities on the host, training from pictures on the host to moved weights, a
dream's step in each of four octaves. PyTorch runs eagerly, without CUDA graphs, with
cudnn.benchmark, its pictures through pinned memory, its normalisations within the weights in
inference; half precision is bfloat16 weights in inference, else autocast. The ratio is its time in
the better layout, which is the bold one, by ours. The error of inference is that of the answers
from float64's, and PyTorch's own stands beside it: the limit is twice that. Else the error is from
PyTorch's losses or steps; a dream's has no limit, since a rounding at a threshold decides about a
feature. All in units of the largest value.

| work | precision | ours | contiguous | channels_last | ratio | error | PyTorch's | limit |
|---|---|---|---|---|---|---|---|---|"""

FIRST = """\
## The first run

Seconds of a whole process that computes once: one that compiles kernels and has cuDNN make plans,
and the next one, which finds them kept.

| work | compiled | kept |
|---|---|---|"""

LOADED = """\
## Pictures from files

Milliseconds of a training step, as `darknet train` does it: on JPEGs of 256 x 256 pixels that the
loader's threads decode and augment, none of them kept decoded, and on a batch that is in memory.
Lost is what the step waits or what it is slower, whichever is more.

| training | KB a picture | from files | of it waited | from memory | lost |
|---|---|---|---|---|---|"""

DREAMED = """\
## A nightmare

| what | of | seconds |
|---|---|---|"""


def _of(kind: type[T], rows: Iterable[Row]) -> list[T]:
    return [row for row in rows if isinstance(row, kind)]


def _table(head: str, rows: Iterable[Sequence[object]]) -> str:
    """Nothing where there are no rows."""
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join([head, *lines]) if lines else ""


def _cell(value: object) -> str:
    return str(value).replace("|", r"\|")


def _machines(results: Mapping[str, Result]) -> str:
    """Each machine once, with the parts that were measured there."""
    parts: dict[tuple[str, ...], list[str]] = {}
    for part, result in results.items():
        parts.setdefault(tuple(result.machine), []).append(part)
    lines = [f"- {', '.join(names)}: {'; '.join(where)}" for where, names in parts.items()]
    return "\n".join(lines)


def _tests(tests: Suite) -> str:
    return "\n".join(
        [
            "## Tests that need a device",
            "",
            *(f"    {line}" for line in [*tests.notes, tests.line]),
        ]
    )


def _accuracy(cases: Sequence[Case]) -> list[list[str]]:
    """A line for each kind and precision."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.kind, case.precision), []).append(case)
    lines = []
    for (kind, precision), these in groups.items():
        worst = max(these, key=lambda case: case.error / case.limit)
        missed = ", ".join(case.name for case in these if not case.is_good) or "none"
        found = [f"{worst.error:.1e}", worst.name, f"{worst.limit:g}"]
        lines.append([kind, precision, str(len(these)), *found, missed])
    return lines


def _compared(row: Compared) -> list[str]:
    work = f"{row.work}, {row.network}, {row.batch}"
    times = ["", "", "", ""]
    if row.ours is not None:
        layouts = [
            f"**{time:.3g}**" if layout == row.best else f"{time:.3g}"
            for layout, time in row.torch.items()
        ]
        times = [f"{row.ours:.3g}", *layouts, f"{row.ratio:.2f}"]
    limit = "none" if row.work == "dream" else f"{row.limit:.2g}"
    error = f"{row.error:.1e}" if row.is_good else f"**{row.error:.1e}: beyond the limit**"
    peer = "" if row.peer is None else f"{row.peer:.1e}"
    return [work, row.precision, *times, error, peer, limit]


def _first(row: First) -> list[str]:
    work = f"{row.work}, {row.network}, {row.batch}"
    return [work, f"{row.compiled:.1f}", f"{row.kept:.1f}"]


def _loaded(row: Loaded) -> list[str]:
    times = [f"{each:.3g}" for each in (row.files, row.waited, row.memory)]
    return [
        f"{row.network}, {row.batch}",
        f"{row.kilobytes:.0f}",
        *times,
        f"{100 * row.share:.1f} %",
    ]
