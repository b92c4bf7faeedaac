"""Names of files as messages show them."""

from __future__ import annotations

import os


def one_line(name: str | os.PathLike[str]) -> str:
    """The name (or any text) with what would break a line, or a terminal, spelled out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(os.fspath(name)))
