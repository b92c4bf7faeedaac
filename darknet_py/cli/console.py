"""What goes to the terminal, or into whatever reads it: no character of a name can end a command or
a line, or drive the terminal.

Commands print by these functions alone (a test holds it), each for its kind of reader:

say_line, complain   people: whatever would break the line or drive a terminal is spelled out,
                     wherever it goes (see text.one_line)
say_path             people on a terminal, and programs elsewhere, which get the name as it is
say_json, say_rows   programs: by the rules of these formats
show_control         a terminal: what drives it

What goes by them nevertheless, such as click's usage errors, warnings and tracebacks, is spelled
out by the streams themselves (see output.py).
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Iterable
from typing import TextIO

from darknet_py.cli.output import ShownText
from darknet_py.text import as_json, csv_row, one_line

_BYTES, _SPELLED = "darknet-bytes", "darknet-spelled"
_ASCII = "".join(map(chr, (10, *range(32, 127))))


def prepare_streams() -> None:
    """Makes standard input and output take every name of a file, in every locale.

    Names that are typed or piped in are decoded as those of files are. What the terminal's
    encoding lacks is spelled out as in JSON; a byte that was no character is that byte again, where
    the encoding has ASCII's bytes. Where the encoding is ASCII, as in the C locale, or has not all
    its characters, output is UTF-8, as click has it.
    """
    codecs.register_error(_BYTES, _as_bytes)
    codecs.register_error(_SPELLED, _spelled)
    _fill_descriptors()
    if sys.stdin is None:  # it was closed before the program began
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    _reconfigure(sys.stdin, sys.getfilesystemencoding(), "surrogateescape")
    encoding = _encoding(sys.stdout)
    has_bytes = _ASCII.encode(encoding) == _ASCII.encode()
    _reconfigure(sys.stdout, encoding, _BYTES if has_bytes else _SPELLED)
    _reconfigure(sys.stderr, _encoding(sys.stderr), "backslashreplace")


def _fill_descriptors() -> None:
    """Those that were closed before the program began lead nowhere: else the next file that is
    opened takes their numbers, and what a library, or Python at its end, says goes into it."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        os.set_inheritable(number, True)
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)


def say_line(text: object = "", err: bool = False, end: str = "\n") -> None:
    """Prints one line: what would break it, as names may, is spelled out."""
    _print(one_line(str(text)) + end, err)


def say_lines(lines: Iterable[object], err: bool = False) -> None:
    """Prints lines, each as `say_line`."""
    for line in lines:
        say_line(line, err)


def complain(problem: object) -> None:
    """Says on stderr what went wrong, in one line."""
    say_line(f"darknet: {problem}", err=True)


def say_path(path: str | os.PathLike[str]) -> None:
    """Prints the name of a file that was written, and nothing else, on a line of its own: on a
    terminal as `say_line` does, elsewhere as it is, byte for byte, for the program that reads it.
    But a name that would be several lines is spelled out there, too."""
    name = os.fspath(path)
    if sys.stdout.isatty() or len(f"{name}.".splitlines()) > 1:
        say_line(name)
    else:
        _print(f"{name}\n", err=False)


def say_json(document: object) -> None:
    """Prints a document as one line of JSON."""
    _print(f"{as_json(document)}\n", err=False)


def say_rows(rows: Iterable[Iterable[object]]) -> None:
    """Prints rows of a CSV table."""
    _print("".join(map(csv_row, rows)), err=False)


def show_control(text: str) -> None:
    """Writes to the terminal that stderr is, what drives it as it is: no text from outside."""
    stream = sys.stderr
    write = stream.write_control if isinstance(stream, ShownText) else stream.write
    write(text)
    stream.flush()


def _print(text: str, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    stream.write(text)
    stream.flush()


def _encoding(stream: TextIO | None) -> str:
    name = getattr(stream, "encoding", None)
    try:
        is_whole = name is not None and _ASCII.encode(name).decode(name) == _ASCII
    except UnicodeError:
        is_whole = False
    return name if name and is_whole and codecs.lookup(name).name != "ascii" else "utf-8"


def _reconfigure(stream: TextIO | None, encoding: str, errors: str) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:  # there is none where a stream is closed, or a test's
        reconfigure(encoding=encoding, errors=errors)


def _as_bytes(error: UnicodeError) -> tuple[bytes | str, int]:
    if isinstance(error, UnicodeEncodeError):
        code = ord(error.object[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            return bytes([code - 0xDC00]), error.start + 1
    return _spelled(error)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start])[1:-1], error.start + 1


def command() -> str:
    """How the program was called, for messages that say what to do next."""
    return os.environ.get("DARKNET_COMMAND") or "darknet"
