"""How far a command is with many pictures: a line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time

import click

_EVERY = 0.1
"""Seconds between two showings."""


class CountLine:
    """Shows on stderr how many of so many are done; what is said in between has its own lines."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._shown_at = 0.0

    def show(self, done: int) -> None:
        """`done` are done."""
        now = time.monotonic()
        if sys.stderr.isatty() and (now - self._shown_at > _EVERY or done == self._total):
            self._shown_at = now
            click.echo(f"\r\x1b[2K{done:,}/{self._total:,} pictures", nl=False, err=True)

    def say(self, line: str) -> None:
        """A line of its own."""
        self.close()
        click.echo(line, err=True)

    def close(self) -> None:
        """Takes the count away."""
        if sys.stderr.isatty():
            click.echo("\r\x1b[2K", nl=False, err=True)
