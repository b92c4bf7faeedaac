"""The figures of a training as a table, metrics.csv, that grows as it goes."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

from darknet_py.atomic import atomic_file
from darknet_py.errors import CfgError
from darknet_py.tasks.events import Trained, Validated

COLUMNS = (
    *("batch", "epoch", "loss", "average", "rate", "seconds", "images"),
    *("valid_loss", "valid_top1", "valid_topk"),
)
_NEEDED = "batch", "loss", "rate"
TABLE = "metrics.csv"
_LARGEST = 1 << 30
"""Bytes of a table: a row has about a hundred."""


@dataclass(frozen=True)
class Metrics:
    """Columns of a metrics.csv: batches with their losses and rates, and validations."""

    name: str
    batch: list[int]
    loss: list[float]
    rate: list[float]
    valid_batch: list[int]
    valid_top1: list[float]
    valid_loss: list[float]


class MetricsFile:
    """Appends a row for each batch; a validation joins the row of its batch.

    For a run that goes on from `batch`, rows beyond it go, and what is no row; where that is more
    than a row that was cut short, the file is kept under another name, which `said` tells. Rows
    that cannot be written wait for the next flush: a full disk ends no training. Raises OSError.
    """

    def __init__(self, path: Path, batch: int) -> None:
        self._path = path
        self._waiting: list[list[object]] = []
        self.said: str | None = None
        rows: list[dict[str, str]] = []
        if _is_none(path):
            aside = _free_name(path)
            path.rename(aside)
            self.said = f"{path}: is no table of ours: none of it is kept, and it is now {aside}"
        elif path.exists():
            found = _read(path)
            rows = [row for row in found.rows if int(row["batch"]) <= batch]
            if not found.is_whole:
                aside = _free_name(path)
                with atomic_file(aside) as damaged:
                    damaged.write(path.read_bytes())
                kept = f"{len(rows)} whole rows of it are kept" if rows else "none of it is kept"
                self.said = (
                    f"{path}: is damaged, or no table of ours: {kept}, and it is now {aside}"
                )
        with atomic_file(path) as whole:
            lines = [",".join(COLUMNS), *(",".join(row[key] for key in COLUMNS) for row in rows)]
            whole.write("".join(f"{line}\n" for line in lines).encode())

    def add(self, event: Trained | Validated) -> None:
        """Takes note of an event; the row of the last batch waits for its validation."""
        if isinstance(event, Trained):
            e = event
            figures = (e.loss, e.average, e.rate, round(e.seconds, 6))
            self._waiting.append([e.batch, round(e.epoch, 4), *figures, e.images, "", "", ""])
        elif self._waiting:
            found = event.evaluation
            self._waiting[-1][-3:] = [found.loss, found.top1, found.topk]

    def flush(self) -> None:
        """Everything so far is in the file, or waits if this raises OSError."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._path.exists():
            writer.writerow(COLUMNS)
        writer.writerows(self._waiting)
        # Ctrl-C may come at any place: better a row is lost, which a run that goes on makes again,
        # than there twice
        rows, self._waiting = self._waiting, []
        try:
            with self._path.open("ab", buffering=0) as file:
                _append(file, text.getvalue().encode())
        except OSError:
            self._waiting = rows
            raise


def read_metrics(path: str | Path) -> Metrics:
    """Reads a run's table, or the first in a run's folder: its whole rows. Raises CfgError where it
    cannot be read, or has none."""
    path = Path(path)
    file = tables_in(path)[0] if os.path.isdir(path) and path.name != TABLE else path
    try:
        found = _read(file)
    except OSError as error:
        raise CfgError(file, None, error.strerror or str(error)) from error
    rows = found.rows
    if not found.is_table:
        raise CfgError(file, None, "is no metrics.csv of a training")
    if not rows:
        raise CfgError(file, None, "holds no batch yet")
    valid = [row for row in rows if row["valid_top1"] and row["valid_loss"]]
    return Metrics(
        name=path.name if os.path.isdir(path) else path.parent.name or path.stem,
        batch=[int(row["batch"]) for row in rows],
        loss=[float(row["loss"]) for row in rows],
        rate=[float(row["rate"]) for row in rows],
        valid_batch=[int(row["batch"]) for row in valid],
        valid_top1=[float(row["valid_top1"]) for row in valid],
        valid_loss=[float(row["valid_loss"]) for row in valid],
    )


class _Table(NamedTuple):
    """rows: whole ones, each of COLUMNS, in the order of their batches. is_table: whether it has
    the columns of one; is_whole: whether there is nothing else in the file, but perhaps a last
    line that was cut short."""

    rows: list[dict[str, str]]
    is_table: bool
    is_whole: bool


def _read(path: Path) -> _Table:
    """Raises OSError."""
    text = path.read_bytes().decode("utf-8-sig", "replace")
    head, *lines = text.split("\n")
    columns = [column.strip().strip('"') for column in head.split(",")]
    cut_short = lines.pop() if lines else ""
    if not set(_NEEDED) <= set(columns):
        # a file that has only begun to be written is not damaged
        return _Table([], False, ",".join(COLUMNS).startswith(text.rstrip("\r\n")))
    rows: list[dict[str, str]] = []
    for line in lines:
        row = _row(columns, line)
        if row is not None and (not rows or int(row["batch"]) > int(rows[-1]["batch"])):
            rows.append(row)
    is_whole = tuple(columns) == COLUMNS and len(rows) == len(lines)
    if cut_short and tuple(columns) != COLUMNS:  # by another program, which ends no last line
        last = _row(columns, cut_short)
        rows += [last] if last is not None else []
    return _Table(rows, True, is_whole)


def _row(columns: Sequence[str], line: str) -> dict[str, str] | None:
    """The values of a row, those that it has none of as ""; None where it is none."""
    values = [value.strip().strip('"') for value in line.rstrip("\r").split(",")]
    if len(values) != len(columns):
        return None
    row = dict.fromkeys(COLUMNS, "") | dict(zip(columns, values, strict=True))
    try:
        int(row["batch"])
        for column in COLUMNS[1:]:
            if row[column] or column in _NEEDED:
                float(row[column])
    except ValueError:
        return None
    return row


def tables_in(folder: Path) -> list[Path]:
    """The tables of a folder, one of each training in it; metrics.csv where there is none."""
    own = sorted(folder.glob(f"*_{TABLE}"))
    return [folder / TABLE, *own] if (folder / TABLE).exists() or not own else own


def _is_none(path: Path) -> bool:
    """Whether it is a pipe or a device, which might be waited for without end, or a file larger
    than any table: nothing of it is read."""
    if not path.exists() or path.is_dir():
        return False
    return not path.is_file() or path.stat().st_size > _LARGEST


def _free_name(path: Path) -> Path:
    """A name beside a path that nothing has."""
    numbers = (f"{path.name}.damaged{number or ''}" for number in count())
    return next(p for p in map(path.with_name, numbers) if not os.path.lexists(p))


def _append(file: io.FileIO, data: bytes) -> None:
    """All of it or, where an OSError is raised, nothing."""
    size = file.tell()
    try:
        _write_whole(file, data)
        os.fsync(file.fileno())
    except OSError:
        file.truncate(size)  # half a row would spoil the next one
        raise


def _write_whole(file: io.FileIO, data: bytes) -> None:
    """All of it: a disk that becomes full takes a part first, without an error."""
    while data:
        data = data[file.write(data) or 0 :]
