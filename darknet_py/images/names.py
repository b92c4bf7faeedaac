"""Names of files as messages show them."""

from __future__ import annotations

import os

_LONGEST = 300
"""Characters."""


def one_line(name: str | os.PathLike[str]) -> str:
    """The name (or any text) with what would break a line, or a terminal, spelled out; bytes that
    are no UTF-8 as in `legible`."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in legible(name))


def in_message(name: str | os.PathLike[str]) -> str:
    """The same for a message; of one that is longer than names are, its end."""
    text = one_line(os.fspath(name)[-_LONGEST:])
    return text if len(os.fspath(name)) <= _LONGEST else f"...{text}"


def legible(name: str | os.PathLike[str]) -> str:
    """The name (or any text) without the stand-ins that Python keeps for bytes it cannot read.

    Bytes that are UTF-8 after all (the C locale takes them one by one) are read as that, others
    are spelled out, as in caf\\xe9. What this returns can be written to any UTF-8 file.
    """
    text = str(os.fspath(name))
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # Half a pair that stands for no byte.
        return text.encode("utf-8", "backslashreplace").decode()
