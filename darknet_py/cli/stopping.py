"""Ctrl-C in a training: stop, and save."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from darknet_py.cli.console import say_line


@contextmanager
def stop_on_ctrl_c() -> Iterator[list[bool]]:
    """A list that is empty until Ctrl-C; a second one is answered as it was before."""
    asked: list[bool] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and callable(before):
            before(number, frame)
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        _say("\nstopping after this batch; Ctrl-C again leaves at once\n")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _say(text: str) -> None:
    """On stderr, in the middle of whatever is being written there: not by its buffer, then."""
    try:
        os.write(sys.stderr.fileno(), text.encode())
    except OSError:  # it is no file, or cannot be written
        say_line(text.strip(), err=True)
