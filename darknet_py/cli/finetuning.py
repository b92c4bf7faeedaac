"""Watching a fine-tuning: its plan, how features grow, each stage's training, what came out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from darknet_py.cli.console import say_line
from darknet_py.cli.progress import Progress, say
from darknet_py.cli.watch import Watcher

if TYPE_CHECKING:
    from darknet_py.tasks.features import Cached
    from darknet_py.tasks.finetune import Ended, Prepared, Stage
    from darknet_py.tasks.finetune.run import FinetuneEvent


_AGAIN = "so the stages begin again; cached features of all other pictures are kept"


class Presenter:
    """Shows events: results on stdout, all else on stderr."""

    def __init__(self, prepared: Prepared, quiet: bool) -> None:
        self._prepared, self._quiet = prepared, quiet
        self._watcher: Watcher | None = None
        self._features = Progress()

    def show_plan(self) -> None:
        """A line for each layer, and one for each stage; pictures that are others than before."""
        for change in self._prepared.changes:
            say_line(f"warning: {change}", err=True)
        if self._prepared.again:
            say_line(f"warning: {_AGAIN}", err=True)
        if self._quiet:
            return
        for line in self._prepared.plan:
            say_line(line, err=True)
        for stage in self._prepared.folder.stages:
            say_line(f"{stage.name}: {stage.batches} batches of {stage.batch}", err=True)

    def show(self, event: FinetuneEvent) -> None:
        """Takes note of an event."""
        from darknet_py.tasks.features import Cached
        from darknet_py.tasks.finetune import Began, Ended, Kept

        if isinstance(event, Cached):
            self._show_cached(event)
            return
        self._features.close()
        if isinstance(event, Began):
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
        """Ends what an interruption has left open."""
        self._features.close()
        self._close_watcher()

    def _begin(self, stage: Stage, cached: int | None) -> None:
        lines_of_batches = not self._quiet and sys.stderr.isatty()
        self._watcher = self._watch(stage, quiet=not lines_of_batches)
        if not self._quiet:
            how = "" if cached is None else f", on what layer {cached} says of the pictures"
            say_line(f"{stage.name}: trains from layer {stage.first}{how}", err=True)

    def _watch(self, stage: Stage, quiet: bool) -> Watcher:
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
