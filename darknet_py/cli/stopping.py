"""Ctrl-C in a training: stop, and save."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def stop_on_ctrl_c() -> Iterator[list[bool]]:
    """A list that is empty until Ctrl-C; a second one interrupts at once."""
    asked: list[bool] = []

    def note(_signal: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        click.echo("\nstopping after this batch; Ctrl-C again leaves at once", err=True)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
