"""Watching a training: a progress line on a terminal, the C program's lines elsewhere, and the
files that grow in the backup folder."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from darknet_py.cli.console import say_line
from darknet_py.cli.progress import Progress, say
from darknet_py.text import counted

if TYPE_CHECKING:
    from darknet_py.tasks.event_files import EventFile
    from darknet_py.tasks.events import Adjusted, Event, Finished, Trained, Validated


class Watcher:
    """Shows events and notes them in a table and a chart.

    table, chart: their files, which nothing touches before the first batch. last: the number of all
    batches to see (0: no end). display: a line every so many batches; None: for each batch, where
    stderr is no terminal with a line of its own. events: TensorBoard's file, if there is one.
    """

    def __init__(
        self,
        table: Path,
        chart: Path,
        last: int,
        quiet: bool,
        display: int | None = None,
        events: EventFile | None = None,
    ) -> None:
        from darknet_py.tasks.run_log import RunLog

        self._log = RunLog(table, chart, lambda text: say(f"warning: {text}"), events)
        self._chart = chart
        self._last, self._quiet, self._display = last, quiet, display
        self._unsaid: list[Trained] = []
        self._began = time.monotonic()
        self._progress = Progress(shown=not quiet)
        self._waited = 0.0
        self.finished: Finished | None = None

    def begin(self) -> None:
        """Says on a terminal what the first batch is waited for."""
        self._progress.wait("preparing the first batch...")

    def show(self, event: Event) -> None:
        """Takes note of an event, and shows it."""
        from darknet_py.tasks.events import (
            Adjusted,
            Finished,
            LeftOut,
            SaveFailed,
            Trained,
            Validated,
        )

        if isinstance(event, Validated):
            say(_validation_line(event))
        self._log.add(event)
        if isinstance(event, Trained):
            self._waited = event.waited
            if not self._quiet:
                self._show_batch(event)
        elif isinstance(event, SaveFailed):
            say(f"warning: not saved: {event.error}")
        elif isinstance(event, LeftOut):
            say(f"left out: {event.error}")
        elif isinstance(event, Adjusted):
            say(_adjustment_line(event))
        elif isinstance(event, Finished):
            self.finished = event

    def close(self) -> None:
        """The last chart, where it is not there yet, and how long the network waited for
        pictures."""
        is_idle = self._log.is_idle
        self._log.close()
        passed = time.monotonic() - self._began
        self._progress.close()
        if is_idle:
            return
        share = 100 * self._waited / max(passed, 1e-9)
        say(
            f"{counted(round(passed), 'second')}, {share:.1f} % of them waiting for pictures; "
            f"{self._chart}"
        )

    def _show_batch(self, event: Trained) -> None:
        is_terminal = sys.stderr.isatty()
        if self._display or not is_terminal:
            self._unsaid.append(event)
            if event.batch % (self._display or 1) == 0:
                self._print_line()
        if is_terminal:
            # counted in pictures, so that a bar's speed is theirs
            self._progress.total = self._last * event.images // event.batch
            of, speed = f"/{self._last}" if self._last else "", self._progress.per_second()
            figures = f"loss {event.loss:.4f}, average {event.average:.4f}, epoch {event.epoch:.2f}"
            figures += f", {speed:.0f} images/s, rate {event.rate:.5f}"
            self._progress.show(event.images, f"batch {event.batch}{of}", figures)

    def _print_line(self) -> None:
        """The C program's, of the batches since the last one: their mean loss, their seconds."""
        event, count = self._unsaid[-1], len(self._unsaid)
        loss = sum(each.loss for each in self._unsaid) / count
        seconds = sum(each.seconds for each in self._unsaid)
        self._unsaid = []
        self._progress.clear()
        say_line(
            f"{event.batch}, {event.epoch:.3f}: {loss:f}, {event.average:f} avg, "
            f"{event.rate:f} rate, {seconds:f} seconds, {event.images} images"
        )


def _validation_line(event: Validated) -> str:
    found, best = event.evaluation, "  (best)" if event.best else ""
    more = f"top-{found.top} {found.topk:.2%}, " if found.top_says_more else ""
    figures = f"top-1 {found.top1:.2%}, {more}loss {found.loss:.4f}"
    return f"batch {event.batch}: validation: {figures}{best}"


def _adjustment_line(event: Adjusted) -> str:
    best = "" if event.best is None else f", best {event.best:.4f}"
    figures = "" if event.mean is None else f" (mean {event.mean:.4f}{best})"
    what = {
        "climbs": f"climbs{figures}: back to the weights of batch {event.kept},",
        "no number": f"is no number: back to the weights of batch {event.kept},",
        "falls": f"falls slowly{figures}:",
        "stands": f"stands{figures}:",
    }
    return f"batch {event.batch}: the loss {what[event.why]} rate {event.rate:g}"
