"""A line on a terminal that is written over and over, and never wider than it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from darknet_py.cli.console import say_line, show_control
from darknet_py.text import one_line

_CLEAR = "\r\x1b[2K"


def is_shown() -> bool:
    """Whether stderr is a terminal: elsewhere there is no such line."""
    return sys.stderr.isatty()


def show(line: str) -> None:
    """Shows a line in place of the one before, on a terminal."""
    if is_shown():
        show_control(f"{_CLEAR}{one_line(line)[: _width()]}")


def show_parts(parts: Sequence[str], least: Sequence[int]) -> None:
    """The same of parts, without those that there is no room for: the first of `least`, their
    numbers, goes first."""
    shown = dict(enumerate(parts))
    for number in least:
        if len("  ".join(shown.values())) <= _width():
            break
        shown.pop(number, None)
    show("  ".join(part for part in shown.values() if part))


def clear() -> None:
    """Takes the line away."""
    if is_shown():
        show_control(_CLEAR)


def say(line: str) -> None:
    """A line that stays, on stderr; the other one, if there is one, goes."""
    clear()
    say_line(line, err=True)


def _width() -> int:
    """Columns that a line may have: in the last one of all, some terminals begin the next line."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # stderr is no terminal, or none of its own
        columns = shutil.get_terminal_size().columns
    return max((columns or 80) - 1, 1)
