"""Names of files as messages show them."""

from __future__ import annotations

import os

from darknet_py.text import joined_bytes


def one_line(name: str | os.PathLike[str]) -> str:
    """The name (or any text) with what would break a line, or a terminal, spelled out.

    Bytes that are no UTF-8 are spelled out too, as in caf\\xe9.
    """
    text = joined_bytes(str(os.fspath(name)))
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    code = ord(character)  # of a byte that Python could not decode, or of a character
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(character)[1:-1]
