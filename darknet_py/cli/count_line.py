"""How far a command is with many pictures: a line on a terminal, nothing elsewhere."""

from __future__ import annotations

import time

from darknet_py.cli import status_line

_EVERY = 0.1
"""Seconds between two showings."""


class CountLine:
    """Shows on stderr how many of so many are done; what is said in between has its own lines."""

    def __init__(self, total: int, what: str = "pictures") -> None:
        self._total, self._what = total, what
        self._shown_at = 0.0

    def show(self, done: int) -> None:
        """`done` are done."""
        now = time.monotonic()
        if now - self._shown_at > _EVERY or done == self._total:
            self._shown_at = now
            status_line.show(f"{done:,}/{self._total:,} {self._what}")

    def say(self, line: str) -> None:
        """A line of its own."""
        status_line.say(line)

    def close(self) -> None:
        """Takes the count away."""
        status_line.clear()
