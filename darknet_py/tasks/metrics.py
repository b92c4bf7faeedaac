"""The figures of a training as a table, metrics.csv, that grows as it goes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from darknet_py.atomic import atomic_file
from darknet_py.errors import CfgError
from darknet_py.tasks.events import Trained, Validated

COLUMNS = (
    *("batch", "epoch", "loss", "average", "rate", "seconds", "images"),
    *("valid_loss", "valid_top1", "valid_topk"),
)


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

    Opened again for a run that goes on, it first lets go of rows beyond `batch`, which that run
    will make anew. The file is opened for each writing, and rows that cannot be written wait for
    the next: neither a full disk nor a folder that vanishes ends a training. Raises OSError.
    """

    def __init__(self, path: Path, batch: int) -> None:
        self._path = path
        self._waiting: list[list[object]] = []
        rows = [row for row in _rows(path) if int(row["batch"]) <= batch] if path.exists() else []
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
        is_new = not self._path.exists()
        with self._path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows(self._waiting)
        self._waiting = []


def read_metrics(path: str | Path) -> Metrics:
    """Reads a run's metrics.csv, or the one in a run's folder. Raises CfgError."""
    path = Path(path)
    file = path / "metrics.csv" if path.is_dir() else path
    try:
        rows = _rows(file)
        valid = [row for row in rows if row["valid_top1"]]
        return Metrics(
            name=path.name if path.is_dir() else path.parent.name or path.stem,
            batch=[int(row["batch"]) for row in rows],
            loss=[float(row["loss"]) for row in rows],
            rate=[float(row["rate"]) for row in rows],
            valid_batch=[int(row["batch"]) for row in valid],
            valid_top1=[float(row["valid_top1"]) for row in valid],
            valid_loss=[float(row["valid_loss"]) for row in valid],
        )
    except OSError as error:
        raise CfgError(file, None, error.strerror or str(error)) from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise CfgError(file, None, "is no metrics.csv of a training") from error


def _rows(path: Path) -> list[dict[str, str]]:
    """The whole rows of a table; one that was cut short by a killed run is left out."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError("other columns")
        rows = list(reader)
    return [row for row in rows if None not in row.values() and row.get("batch")]
