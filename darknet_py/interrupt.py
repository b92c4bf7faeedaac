"""Ctrl-C from the first import to the last destructor: one line, exit code 130, no traceback.

It imports almost nothing, so that its handler is installed before all other imports. Then:

    Ctrl-C       raises KeyboardInterrupt, and the command cleans up; during an import, which a
                 library might take for a failed one, or when the command is over, the process
                 exits at once
    once more    exits at once, anywhere: files are written whole or not at all
"""

from __future__ import annotations

import atexit
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

CODE = 130
_LINE = "darknet: interrupted"


class _State:
    is_listening = False
    ends_at_once = False
    is_said = False


def listen() -> None:
    """Installs the handler, unless the parent process ignores SIGINT."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _State.is_listening = True
        sys.unraisablehook = _unraisable
        signal.signal(signal.SIGINT, _answer)
        # registered first, so run last: Python's own exit is not interrupted
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def finish() -> None:
    """The command is over: another Ctrl-C exits at once. If one has ended the command, the process
    exits here, without destructors, as threads may still compute."""
    _State.ends_at_once = True
    if _State.is_said:
        leave()


def end(say: Callable[[str], None]) -> int:
    """Reports once that the command was interrupted; the exit code."""
    if _State.is_listening:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(_LINE)
    if _State.is_listening:
        _State.is_said = _State.ends_at_once = True
        signal.signal(signal.SIGINT, _answer)
    return CODE


def leave() -> None:
    """Exits at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if not _State.is_said:
            line = "\n" * os.isatty(2) + f"{_LINE}\n"  # a terminal shows ^C before it
            os.write(2, line.encode(getattr(sys.stderr, "encoding", None) or "utf-8"))
    finally:  # even if stderr is closed
        os._exit(CODE)


def _answer(_number: int, frame: FrameType | None) -> None:
    if _State.ends_at_once or _is_importing(frame):
        leave()
    _State.ends_at_once = True
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _unraisable(found: Any) -> None:
    """Handles an exception in a destructor or a callback, which Python cannot propagate."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        leave()
    sys.__unraisablehook__(found)
