"""Names of files as messages show them."""

from __future__ import annotations

import os

from darknet_py.text import joined_bytes


def one_line(name: str | os.PathLike[str]) -> str:
    """The name (or any text) with what would break a line, or a terminal, spelled out.

    Of bytes that are no UTF-8 it is the surrogate that stands for them: \\udcff.
    """
    text = joined_bytes(str(os.fspath(name)))
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
