"""Callbacks for messages about compilation: a module of its own, so that importing it is cheap."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[bool], None]

_say: list[Say] = []
_note: list[Callable[[str], None]] = [warnings.warn]
_noted: set[str] = set()
_seconds = [0.0]
_here = threading.local()


def when_compiling(say: Say | None) -> None:
    """Has `say` called once, before the first kernel is compiled; None: nobody. It is given whether
    the code will be kept for the next process."""
    _say[:] = [] if say is None else [say]


def when_noting(say: Callable[[str], None] | None) -> None:
    """Has `say` called with each line that a user should see, each once; None: nobody. Until then
    they are Python's warnings."""
    _note[:] = [] if say is None else [say]
    _noted.clear()


def note(text: str) -> None:
    """Passes a line on, unless it was before."""
    if text not in _noted:
        for say in _note:
            say(text)
    _noted.add(text)


@contextmanager
def compiling(is_kept: bool) -> Iterator[None]:
    """Within the block a kernel is compiled; those that it calls may be, too."""
    while _say:
        _say.pop()(is_kept)
    is_inner, _here.is_compiling = getattr(_here, "is_compiling", False), True
    start = time.perf_counter()
    try:
        yield
    finally:
        _here.is_compiling = is_inner
        if not is_inner:
            _seconds[0] += time.perf_counter() - start


def seconds_compiling() -> float:
    """How long this process has compiled kernels so far."""
    return _seconds[0]
