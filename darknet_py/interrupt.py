"""Ctrl-C from the first import to the last destructor: one line, exit code 130, no traceback.

It imports next to nothing, so that it listens before all else is imported. Once it does:

    Ctrl-C       raises KeyboardInterrupt, and the command lets go of what it holds, in order; but
                 in the middle of an import, which a library might take for one that failed, or
                 when the command is over, the process ends at once
    once more    ends the process at once, wherever it is: what it writes is whole or not there
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
    """From now on Ctrl-C is answered as above, unless whoever began the process has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _State.is_listening = True
        sys.unraisablehook = _unraisable
        signal.signal(signal.SIGINT, _answer)
        # First in, last out: when all threads have ended, Python itself needs a moment to end.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def finish() -> None:
    """The command is over, and another Ctrl-C ends the process at once. Where one has ended the
    command, the process ends here: nothing is taken apart under threads that may still compute."""
    _State.ends_at_once = True
    if _State.is_said:
        leave()


def end(say: Callable[[str], None]) -> int:
    """Says that the command was interrupted, once, whatever is pressed meanwhile; the exit code."""
    if _State.is_listening:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(_LINE)
    if _State.is_listening:
        _State.is_said = _State.ends_at_once = True
        signal.signal(signal.SIGINT, _answer)
    return CODE


def leave() -> None:
    """Ends the process at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if not _State.is_said:
            line = "\n" * os.isatty(2) + f"{_LINE}\n"  # a terminal shows ^C before it
            os.write(2, line.encode(getattr(sys.stderr, "encoding", None) or "utf-8"))
    finally:  # even where nobody can be told
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
    """What a destructor or a library's callback raised, and Python cannot pass on."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        leave()
    sys.__unraisablehook__(found)
