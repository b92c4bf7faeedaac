"""Who wants to know that kernels are being compiled: on its own, so that asking costs nothing."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[bool], None]

_say: list[Say] = []


def when_compiling(say: Say | None) -> None:
    """Has `say` called once, before the first kernel is compiled; None: nobody.

    It is told whether the code will be kept, so that the next process need not compile it.
    """
    _say[:] = [] if say is None else [say]


def compiling(is_kept: bool) -> None:
    """A kernel is about to be compiled."""
    while _say:
        _say.pop()(is_kept)
