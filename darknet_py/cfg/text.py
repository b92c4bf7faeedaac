"""Text files: a size limit, one decoding, comments and blanks handled once."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from darknet_py.errors import CfgError

MAX_BYTES = 64 << 20
"""The limit of a cfg, names or list file (1.2 million paths take 60 MB)."""

_COMMENT = re.compile(r"(^|\s)#.*")
_LINE_END = re.compile(r"\r\n|\n|\r")


def read_text(path: str | Path, errors: str = "strict", most: int | None = None) -> str:
    """The text of a file: UTF-8, with or without a byte-order mark.

    errors: as for `bytes.decode`: "surrogateescape" keeps bytes that are not UTF-8, for file names.
    most: its maximal size (MAX_BYTES). Raises CfgError for a file that cannot be read, is too
    large, or is not text.
    """
    most = MAX_BYTES if most is None else most
    try:
        with open(path, "rb") as file:
            raw = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise CfgError(path, None, _reason(error)) from error
    if len(raw) > most:
        raise CfgError(path, None, f"is larger than {most >> 20} MiB: is it the right file?")
    wide = _wide(raw)
    if wide:
        raise CfgError(path, None, f"it is {wide}: save as UTF-8")
    try:
        text = raw.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CfgError(
            path, line, "is not text in UTF-8: is it the right file? If so, save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CfgError(path, line, "is not text (a zero byte): is it the right file?")
    return text


def text_lines(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and all lines, stripped. Lines end in LF, CRLF or CR; the last line
    need not."""
    lines = _LINE_END.split(text)
    for number, line in enumerate(lines, start=1):
        if line or number < len(lines):
            yield number, line.strip()


def meaningful_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a `.data` file without comments; empty ones left out.

    A comment begins with `#` at the start of a line or after a blank (a name may hold a `#`),
    or with `;` at the start of a line, as in the C program.
    """
    for number, line in text_lines(text):
        stripped = _COMMENT.sub("", line).strip()
        if stripped and not stripped.startswith(";"):
            yield number, stripped


def listed_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a list, one name of a file each; empty ones and those that begin with `#` are
    left out. A `#` further on, or a `;`, belongs to the name; one that begins with `#` is written
    `./#...`."""
    for number, line in text_lines(text):
        if line and not line.startswith("#"):
            yield number, line


def _wide(raw: bytes) -> str:
    """The name of an encoding with more than one byte a character; empty for others."""
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    start = raw[:1024]
    zeros = max(start[0::2].count(0), start[1::2].count(0))
    # without a byte-order mark: Latin letters have a zero each, all in the same half
    is_wide = len(start) >= 4 and 5 * zeros >= 2 * len(start) and start.count(0) == zeros
    return "UTF-16" if is_wide else ""


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    return getattr(error, "strerror", None) or str(error)
