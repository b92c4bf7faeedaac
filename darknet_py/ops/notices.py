"""Who wants to know that kernels are being compiled: on its own, so that asking costs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[bool], None]

_say: list[Say] = []
_seconds = [0.0]


def when_compiling(say: Say | None) -> None:
    """Has `say` called once, before the first kernel is compiled; None: nobody.

    It is told whether the code will be kept, so that the next process need not compile it.
    """
    _say[:] = [] if say is None else [say]


@contextmanager
def compiling(is_kept: bool) -> Iterator[None]:
    """Within the block a kernel is compiled."""
    while _say:
        _say.pop()(is_kept)
    start = time.perf_counter()
    try:
        yield
    finally:
        _seconds[0] += time.perf_counter() - start


def seconds_compiling() -> float:
    """How long this process has compiled kernels so far."""
    return _seconds[0]
