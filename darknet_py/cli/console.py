"""What goes to the terminal, or into whatever reads it: no character can end a command."""

from __future__ import annotations

import codecs
import json
import os
import sys
from typing import TextIO

import click

_BYTES = "darknet-bytes"


def prepare_streams() -> None:
    """Makes standard input and output take every name of a file, in every locale.

    Names that are typed or piped in are decoded as those of files are. What the terminal's
    encoding lacks is spelled out as in JSON; a byte that was no character is that byte again.
    Where the encoding is ASCII, as in the C locale, output is UTF-8, as click has it.
    """
    codecs.register_error(_BYTES, _spelled)
    _fill_descriptors()
    if sys.stdin is None:  # it was closed before the program began
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    _reconfigure(sys.stdin, sys.getfilesystemencoding(), "surrogateescape")
    _reconfigure(sys.stdout, _encoding(sys.stdout), _BYTES)
    _reconfigure(sys.stderr, _encoding(sys.stderr), "backslashreplace")


def _fill_descriptors() -> None:
    """Those that were closed before the program began lead nowhere: else the next file that is
    opened takes their numbers, and what a library, or Python at its end, says goes into it."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        os.set_inheritable(number, True)
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)


def say_line(text: object, err: bool = False) -> None:
    """Prints one line: what would break it, as names of files may, is spelled out."""
    from darknet_py.images.names import one_line

    click.echo(one_line(str(text)), err=err)


def complain(problem: object) -> None:
    """Says on stderr what went wrong, in one line."""
    say_line(f"darknet: {problem}", err=True)


def _encoding(stream: TextIO | None) -> str | None:
    name = getattr(stream, "encoding", None)
    return "utf-8" if name is None or codecs.lookup(name).name == "ascii" else name


def _reconfigure(stream: TextIO | None, encoding: str | None, errors: str) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:  # there is none where a stream is closed, or a test's
        reconfigure(encoding=encoding, errors=errors)


def _spelled(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = bytearray()
    for character in error.object[error.start : error.end]:
        code = ord(character)
        is_byte = 0xDC80 <= code <= 0xDCFF
        spelled += bytes([code - 0xDC00]) if is_byte else json.dumps(character)[1:-1].encode()
    return bytes(spelled), error.end


def command() -> str:
    """How the program was called, for messages that say what to do next."""
    return os.environ.get("DARKNET_COMMAND") or "darknet"
