"""Text files, read with care: a size limit, one decoding, comments and blanks settled once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from darknet_py.errors import CfgError

MAX_BYTES = 64 << 20
"""No cfg, names or list file that means well is larger (1.2 million paths take 60 MB)."""

_COMMENT = re.compile(r"(^|\s)#.*")


def read_text(path: str | Path, errors: str = "strict") -> str:
    """The text of a file: UTF-8, with or without a byte-order mark.

    errors: what becomes of bytes that are no UTF-8, as for `bytes.decode`: "surrogateescape" keeps
    them, as names of files may have them. Raises CfgError for a file that cannot be read, is too
    large, or is not text.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise CfgError(path, None, _reason(error)) from error
    if len(raw) > MAX_BYTES:
        raise CfgError(path, None, f"is larger than {MAX_BYTES >> 20} MiB: not a text file of ours")
    try:
        text = raw.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CfgError(path, line, "is not text (UTF-8 expected): is it the right file?") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CfgError(path, line, "is not text (a zero byte): is it the right file?")
    return text


def meaningful_lines(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and lines without comments and outer blanks; empty ones left out.

    A comment begins with `#` at the start of a line or after a blank (a name may hold a `#`),
    or with `;` at the start of a line, as in the C program. Lines end in LF, CRLF or CR.
    """
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        stripped = _COMMENT.sub("", line).strip()
        if stripped and not stripped.startswith(";"):
            yield number, stripped


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    return getattr(error, "strerror", None) or str(error)
