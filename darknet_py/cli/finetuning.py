"""Watching a fine-tuning: its plan, how features grow, each stage's training, what came out."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from darknet_py.cli.console import say_line
from darknet_py.cli.data_lines import PictureCount, say_report, say_weights
from darknet_py.cli.progress import Progress, say
from darknet_py.cli.stopping import stop_on_ctrl_c
from darknet_py.cli.watch import Watcher

if TYPE_CHECKING:
    from darknet_py.tasks.features import Cached
    from darknet_py.tasks.finetune import Ended, Prepared, Stage
    from darknet_py.tasks.finetuning import FinetuningEvent


class Presenter:
    """Shows events: results on stdout, all else on stderr. Ctrl-C stops and saves."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._prepared: Prepared | None = None
        self._watcher: Watcher | None = None
        self._pictures = PictureCount(quiet)
        self._features = Progress()
        self._stack = ExitStack()
        self._asked: list[bool] = []

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return bool(self._asked)

    def count(self, done: int, total: int) -> None:
        """So many of the pictures were looked at."""
        self._pictures.show(done, total)

    def _show_plan(self, prepared: Prepared) -> None:
        """A line for each layer, and one for each stage."""
        self._prepared = prepared
        if self._quiet:
            return
        for line in prepared.plan:
            say_line(line, err=True)
        for stage in prepared.folder.stages:
            say_line(f"{stage.name}: {stage.batches} batches of {stage.batch}", err=True)

    def show(self, event: FinetuningEvent) -> None:
        """Takes note of an event."""
        from darknet_py.tasks.features import Cached
        from darknet_py.tasks.finetune import Began, Ended, Kept
        from darknet_py.tasks.finetuning import Planned
        from darknet_py.tasks.training import Checked, Note, Ready, Weighted

        if isinstance(event, Cached):
            self._show_cached(event)
            return
        self._features.close()
        if isinstance(event, Ready):
            self._asked = self._stack.enter_context(stop_on_ctrl_c())
        elif isinstance(event, Checked):
            self._pictures.close()
            say_report(event.report, self._quiet)
        elif isinstance(event, Planned):
            self._show_plan(event.prepared)
        elif isinstance(event, Weighted):
            say_weights(event.names, event.weights, self._quiet)
        elif isinstance(event, Note):
            say_line(f"{'warning: ' * event.is_warning}{event.text}", err=True)
        elif isinstance(event, Began):
            self._begin(event.stage, event.cached)
        elif isinstance(event, Ended):
            self._watcher = self._watcher or self._watch(event.stage, quiet=True)
            self._close_watcher()
            say_line(_result_line(event))
        elif isinstance(event, Kept):
            say_line(f"{event.weights} ({event.stage.name})")
        elif self._watcher is not None:
            self._watcher.show(event)

    def close(self) -> None:
        """Ends what an interruption has left open; Ctrl-C is answered as before."""
        with self._stack:
            self._pictures.close()
            self._features.close()
            self._close_watcher()

    def _begin(self, stage: Stage, cached: int | None) -> None:
        lines_of_batches = not self._quiet and sys.stderr.isatty()
        self._watcher = self._watch(stage, quiet=not lines_of_batches)
        if not self._quiet:
            how = "" if cached is None else f", on what layer {cached} says of the pictures"
            say_line(f"{stage.name}: trains from layer {stage.first}{how}", err=True)

    def _watch(self, stage: Stage, quiet: bool) -> Watcher:
        assert self._prepared is not None
        folder = self._prepared.folder.stage(stage.name)
        return Watcher(folder / "metrics.csv", folder / "chart.png", stage.batches, quiet)

    def _show_cached(self, event: Cached) -> None:
        if self._quiet:
            return
        line = f"features: {event.done} of {event.total} pictures"
        self._features.total = event.total
        self._features.show(event.done, line)
        if event.done == event.found or event.done == event.total:
            say(f"{line}, {event.found} found" if event.found else line)

    def _close_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = None


def _result_line(event: Ended) -> str:
    if event.found is None:
        return f"{event.stage.name}: done"
    top1, loss = event.found["top1"], event.found["loss"]
    return f"{event.stage.name}: validation: top-1 {top1:.2%}, loss {loss:.4f}"
