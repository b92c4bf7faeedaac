"""Standard output and error, which may be a full disk, or a pipe that nobody reads any more; and on
which nothing drives the terminal.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Any, TextIO

from darknet_py.errors import DarknetError
from darknet_py.text import one_line


class OutputError(DarknetError):
    """Standard output cannot be written. is_pipe: whoever read it has seen enough."""

    def __init__(self, message: str, is_pipe: bool) -> None:
        super().__init__(message)
        self.is_pipe = is_pipe


class Streams:
    """sys.stdout and sys.stderr while a command runs; `end` puts back those from before.

    What stderr cannot take is lost, and the exit code says so. Where stdout cannot take something,
    an OutputError ends the command, unless it is one that goes on.
    """

    def __init__(self) -> None:
        self._before = sys.stdout, sys.stderr
        self._out, sys.stdout = _guarded(sys.stdout, "standard output")
        self._err, sys.stderr = _guarded(sys.stderr, "standard error")
        if self._out is not None:
            self._out.raises = True

    def go_on(self) -> None:
        """From now on it is no reason to end that stdout cannot be written."""
        if self._out is not None:
            self._out.raises = False

    def end(self) -> bool:
        """Whether all that was said could be written. Where lines are lost, and the command went
        on, that is said."""
        ended = self._out is not None and self._out.raises
        self.go_on()
        sys.stdout.flush()
        if self._out is not None and self._out.error is not None and not ended:
            lost = "its lines are lost, and nothing else"
            sys.stderr.write(f"darknet: {self._out.complaint()}: {lost}\n")
        sys.stderr.flush()
        sys.stdout, sys.stderr = self._before
        return not any(raw is not None and raw.error for raw in (self._out, self._err))


class ShownText(io.TextIOWrapper):
    """A stream that people read: what `text.one_line` spells out is, whoever writes it; ends of
    lines stay. stdout is one where it is a terminal, else programs read it."""

    def write(self, text: str) -> int:
        super().write("\n".join(map(one_line, text.split("\n"))))
        return len(text)

    def write_control(self, text: str) -> None:
        """Writes what drives the terminal."""
        super().write(text)


class _Raw(io.RawIOBase):
    """The bytes of one of both. From the first that cannot be written on, all are dropped."""

    def __init__(self, number: int | None, name: str) -> None:
        """number: the file's descriptor, None: it was closed before the program began."""
        self._number, self._name = number, name
        self.error: OSError | None = None
        self.raises = False

    def write(self, data: Any) -> int:
        while self.error is None:
            try:
                number = self.fileno()
                return os.write(number, data)
            except BlockingIOError:  # whoever shares it has made it so, and reads slowly
                select.select([], [number], [])
            except OSError as error:
                self.error = error
                if self.raises:
                    raise OutputError(self.complaint(), error.errno == errno.EPIPE) from error
        return len(data)

    def complaint(self) -> str:
        """What is wrong with it, after the first error."""
        reason = "" if self.error is None else self.error.strerror or str(self.error)
        return f"{self._name} cannot be written: {reason}"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._number is None:
            raise io.UnsupportedOperation(errno.EBADF, "it is closed")
        return self._number

    def isatty(self) -> bool:
        return self._number is not None and os.isatty(self._number)


def _guarded(stream: TextIO | None, name: str) -> tuple[_Raw | None, TextIO]:
    """A stream that writes to the same place by a _Raw; one that is no file stays as it is."""
    if stream is None:
        raw = _Raw(None, name)
        return raw, io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace")
    buffer = getattr(stream, "buffer", None)
    # without a buffer of its own where Python is told to have none (PYTHONUNBUFFERED)
    if not isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        return None, stream
    stream.flush()
    raw = _Raw(stream.fileno(), name)
    is_shown = name == "standard error" or raw.isatty()
    guarded = (ShownText if is_shown else io.TextIOWrapper)(
        io.BufferedWriter(raw),
        stream.encoding,
        stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )
    return raw, guarded
