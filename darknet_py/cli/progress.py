"""How far a command is: one bar on a terminal, which tqdm draws; elsewhere there is none."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import Any

from darknet_py.cli.console import say_line, show_control
from darknet_py.text import one_line

INTERVAL = 0.1
"""Seconds between two drawings, at least."""
_FORMAT = "{desc}  |{bar:10}|  {remaining} left{postfix}"
_ENDLESS = "{desc}{postfix}{bar:0}"


class _Terminal:
    """stderr for tqdm, which drives it; its words have been through `one_line`. bar: what is on it
    now."""

    encoding = property(lambda self: sys.stderr.encoding)

    def __init__(self) -> None:
        self.bar: Any = None

    def write(self, text: str) -> None:
        show_control(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def open(self, total: int, done: int, what: str, figures: str = "") -> None:
        from tqdm.std import tqdm

        self.close()
        tqdm.monitor_interval = 0  # no thread of its own
        tqdm.set_lock(threading.RLock())  # none that processes share
        self.bar = tqdm(
            desc=one_line(what),
            postfix=one_line(figures),
            total=total or None,
            initial=done,
            file=self,
            leave=False,
            ncols=_columns(),
            mininterval=INTERVAL,
            bar_format=_FORMAT if total else _ENDLESS,
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None


_terminal = _Terminal()


def _columns() -> int:
    """Those that a line may have: in the last one of all, some terminals begin the next line."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # stderr is no terminal, or none of its own
        columns = shutil.get_terminal_size().columns
    return max((columns or 80) - 1, 1)


def say(line: str) -> None:
    """A line that stays, on stderr: above the bar, where there is one."""
    bar = _terminal.bar
    if bar is not None:
        bar.clear()
    say_line(line, err=True)
    if bar is not None:
        bar.refresh()


class Progress:
    """A bar with what is done, the time that is left, and figures; no wider than the terminal."""

    def __init__(self, total: int = 0, shown: bool = True) -> None:
        """total: of what will be done, in any unit; 0: nobody knows. shown: whether there is a bar
        at all, where stderr is a terminal."""
        self.total, self._shown = total, shown and sys.stderr.isatty()
        self._begun = False

    def show(self, done: int, what: str, figures: str = "") -> None:
        """Of `total` so much is done. what: says so in words; a narrow terminal cuts off the
        figures first. Time is counted from the first call: what that one waited for, such as
        kernels that are compiled, often takes longer than all that follows."""
        if not self._shown:
            return
        bar = _terminal.bar
        if not self._begun or bar is None:
            _terminal.open(self.total, done, what, figures)
            self._begun = True
            return
        bar.ncols = _columns()  # the window may have another size now
        bar.set_description_str(one_line(what), refresh=False)
        bar.set_postfix_str(one_line(figures), refresh=False)
        bar.update(done - bar.n)

    def wait(self, what: str) -> None:
        """Says what is waited for, until the first `show`."""
        if self._shown:
            _terminal.open(0, 0, what)

    def per_second(self) -> float:
        """How much is done in a second, of late; 0 at first."""
        bar = _terminal.bar
        return (bar.format_dict["rate"] if bar is not None else None) or 0.0

    def clear(self) -> None:
        """Takes the bar away until the next `show`, so that a line can be printed in its place."""
        if _terminal.bar is not None:
            _terminal.bar.clear()

    def close(self) -> None:
        """Takes the bar away."""
        _terminal.close()
