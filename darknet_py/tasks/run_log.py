"""What a training leaves beside its weights: a table of its figures, a chart of them, and
TensorBoard's event files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from darknet_py.errors import DarknetError
from darknet_py.tasks.events import Event, Saving, Trained, Validated

if TYPE_CHECKING:
    from darknet_py.tasks.event_files import EventFile
    from darknet_py.tasks.metrics import MetricsFile

_REDRAW, _REDRAW_VALIDATED = 30.0, 5.0
"""Seconds between drawings of the chart, and where a validation has something to add."""
_DRAWING = 0.01
"""Of a training's time, so much may go into drawing."""


class RunLog:
    """Notes events in a table and a chart.

    table, chart: their files, which nothing touches before the first batch. warn: told what could
    not be written, which is no reason to end. events: TensorBoard's file, if there is one.
    """

    def __init__(
        self,
        table: Path,
        chart: Path,
        warn: Callable[[str], object],
        events: EventFile | None = None,
    ) -> None:
        self._table, self._chart = table, chart
        self._warn, self._events = warn, events
        self._metrics: MetricsFile | None = None
        self._unwritten: list[Trained | Validated] = []
        self._drawn_at = time.monotonic()
        self._drawing = 0.0
        self._chart_failed = False

    def add(self, event: Event) -> None:
        """Takes note of an event."""
        if self._events is not None:
            self._events.add(event)
        if isinstance(event, Trained):
            # before its row is there, which may yet get a validation
            self._redraw(_REDRAW)
            self._unwritten.append(event)
        elif isinstance(event, Validated):
            self._unwritten.append(event)
            self._redraw(_REDRAW_VALIDATED)
        elif isinstance(event, Saving):
            self._flush()

    def close(self) -> None:
        """The last chart, where it is not there yet."""
        if self._events is not None:
            self._events.close()
        # a run that ended may have been killed before it drew
        if not self.is_idle or _is_older(self._chart, self._table):
            self._draw()

    @property
    def is_idle(self) -> bool:
        """Whether no batch was trained yet."""
        return self._metrics is None and not self._unwritten

    def _flush(self) -> bool:
        from darknet_py.tasks.metrics import MetricsFile

        if self.is_idle:
            return True
        try:
            if self._metrics is None:
                self._metrics = MetricsFile(self._table, self._unwritten[0].batch - 1)
                if self._metrics.said:
                    self._warn(self._metrics.said)
            events, self._unwritten = self._unwritten, []
            for event in events:
                self._metrics.add(event)
            self._metrics.flush()
        except OSError as error:
            self._warn(f"{self._table}: not written: {error.strerror or error}")
            return False
        return True

    def _redraw(self, pause: float) -> None:
        passed = time.monotonic() - self._drawn_at
        if passed > max(pause, self._drawing / _DRAWING) and not self.is_idle:
            self._draw()

    def _draw(self) -> None:
        from darknet_py.tasks.chart import save_chart
        from darknet_py.tasks.metrics import read_metrics

        began = time.monotonic()
        if self._flush():
            try:
                save_chart(self._chart, [read_metrics(self._table)])
            # no fault of a picture's, nor of the library that draws it, is worth a training
            except (DarknetError, ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
                if not self._chart_failed:
                    self._warn(f"no chart: {str(error) or type(error).__name__}")
                self._chart_failed = True
        self._drawn_at = time.monotonic()
        self._drawing = self._drawn_at - began


def _is_older(chart: Path, table: Path) -> bool:
    """Whether a table has no chart, or one from before it was written last."""
    try:
        written = table.stat().st_mtime_ns
        return not chart.exists() or chart.stat().st_mtime_ns < written
    except OSError:
        return False
