"""A training's figures as TensorBoard's event files, written where its writer is installed."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any

from darknet_py.errors import TrainingError
from darknet_py.resources import how_to_install
from darknet_py.tasks.events import Event, Trained, Validated


class EventFile:
    """Adds what `train` yields to a new event file in a folder.

    loss and rate for each batch, validation/top1 and validation/loss. Raises TrainingError where
    tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        check_tensorboard()
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder))

    def add(self, event: Event) -> None:
        """Takes note of a batch or a validation, and of nothing else."""
        if isinstance(event, Trained):
            self._write(event.batch, {"loss": event.loss, "rate": event.rate})
        elif isinstance(event, Validated):
            found = event.evaluation
            figures = {"validation/top1": found.top1, "validation/loss": found.loss}
            self._write(event.batch, figures)

    def close(self) -> None:
        """All is on the disk."""
        self._writer.close()

    def _write(self, step: int, figures: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.compat.proto.summary_pb2 import Summary

        values: Any = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        record = Record(wall_time=time.time(), step=step, summary=Summary(value=values))
        self._writer.add_event(record)


def check_tensorboard() -> None:
    """Raises TrainingError where tensorboard is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        advice = how_to_install("tensorboard")
        raise TrainingError(f"--tensorboard needs tensorboard's writer: {advice}")
