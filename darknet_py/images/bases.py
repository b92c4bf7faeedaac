"""What the relative paths in a list are relative to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from darknet_py.errors import CfgError
from darknet_py.images.names import one_line


def find_base(list_path: Path, entries: Iterable[str], bases: Sequence[Path], where: str) -> Path:
    """The first of `bases` from which the first relative entry is found; it serves for all.

    where: the folders in words, for the CfgError that is raised where none is.
    """
    relative = next((entry for entry in entries if not os.path.isabs(entry)), None)
    if relative is None:
        return Path()
    for base in bases:
        if os.path.exists(base / relative):
            return base
    raise CfgError(
        list_path,
        None,
        f"{one_line(relative)}: no such picture, neither from the working directory nor from "
        f"{where}",
    )


def parent_of(folder: Path) -> Path:
    """The folder that a folder is in."""
    # abspath: the parent of "." is not "."
    return Path(os.path.abspath(folder)).parent
