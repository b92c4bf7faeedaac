"""Keeps Pillow off stderr while a picture is read: what matters becomes a `PictureError`."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """While the block runs, neither Pillow's warnings nor its log print anything of their own.

    Others' warnings pass, and so does Pillow's log to handlers that somebody set up. Threads
    may be inside at once. Nothing is changed outside the block.
    """
    if getattr(sys.flags, "context_aware_warnings", False):
        with ExitStack() as stack:
            _silence(stack)
            yield
        return
    _shared.enter()
    try:
        yield
    finally:
        _shared.leave()


class _Shared:
    """`warnings.catch_warnings` swaps one list for the whole process: threads that are inside
    at once must not each put back what they found. The first one in sets it, the last one out
    puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._stack = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                _silence(self._stack)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._stack.close()


_shared = _Shared()


def _silence(stack: ExitStack) -> None:
    stack.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
    # Where a library's log has no handler, Python prints its errors on stderr.
    logger, handler = logging.getLogger("PIL"), logging.NullHandler()
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)
