"""Where the pictures of a list are: what its relative paths are relative to, on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from darknet_py.errors import CfgError


def find_places(
    list_path: Path, entries: Iterable[str], bases: Sequence[Path], where: str
) -> Callable[[str], Path]:
    """What gives the place of each entry: the first of `bases` from which the first relative entry
    is found serves for all. Where it is found nowhere, nor with each `\\` taken as the `/` that it
    is on Windows, CfgError is raised; where: the folders in words.
    """
    relative = next((entry for entry in entries if not os.path.isabs(entry)), None)
    if relative is None:
        return Path
    for spell in (str, from_windows):
        for base in bases:
            if os.path.exists(base / spell(relative)):
                return lambda entry: base / spell(entry)
    advice = ": it is a path of another machine" if relative[1:3] in (":\\", ":/") else ""
    raise CfgError(
        list_path,
        None,
        f"{relative}: no such picture, neither from the working directory nor from {where}{advice}",
    )


def from_windows(path: str) -> str:
    """The path with `/` where it has a `\\`."""
    return path.replace("\\", "/")


def parent_of(folder: Path) -> Path:
    """The folder that a folder is in."""
    # abspath: the parent of "." is not "."
    return Path(os.path.abspath(folder)).parent
