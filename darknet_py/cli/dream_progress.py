"""Watching a dream: a line with the time that is left on a terminal, the C program's elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from darknet_py.cli import status_line
from darknet_py.cli.console import say_line

if TYPE_CHECKING:
    from darknet_py.tasks.nightmare import Event


class Progress:
    """Shows events of a dream of so many rounds and steps a round, on stderr."""

    def __init__(self, rounds: int, iters: int, quiet: bool) -> None:
        self._rounds, self._iters, self._quiet = rounds, iters, quiet
        self._first, self._done, self._is_open = 0.0, 0, False

    def show(self, event: Event) -> None:
        """Takes note of an event."""
        from darknet_py.tasks.nightmare import Stepped

        is_step = isinstance(event, Stepped)
        if is_step:
            self._done += 1
            if self._done == 1:  # in which kernels are compiled and programs made
                self._first = time.monotonic()
        if self._quiet:
            return
        self._is_open = is_step
        if sys.stderr.isatty():
            status_line.show(self._line() if is_step else "")
        elif isinstance(event, Stepped):
            start = "Iteration: " if event.iteration == 0 else ""
            say_line(f"{start}{event.iteration}, ", err=True, end="")
        else:
            say_line("done", err=True)

    def close(self) -> None:
        """Ends a line that an interruption has left, so that what is said next has its own."""
        if self._is_open:
            if sys.stderr.isatty():
                status_line.clear()
            else:
                say_line(err=True)
        self._is_open = False

    def _line(self) -> str:
        number, step = divmod(self._done - 1, self._iters)
        return (
            f"round {number + 1}/{self._rounds}  iteration {step + 1}/{self._iters}"
            f"{self._left(time.monotonic())}"
        )

    def _left(self, now: float) -> str:
        if self._done < 2:
            return ""
        steps = self._rounds * self._iters - self._done
        seconds = round(steps * (now - self._first) / (self._done - 1))
        return f"  {seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left"
