"""From what was typed to the pictures that it names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from darknet_py.errors import DarknetError
from darknet_py.images.names import one_line

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
)
"""What a file in a folder is known by as a picture, in small letters."""


def find_pictures(arguments: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files that the arguments name, in their order.

    - A folder: the files directly in it that have a picture's suffix (SUFFIXES, in large or
      small letters), sorted by name; hidden ones and folders are left out.
    - A pattern (`*`, `?`, `[`; `**` for folders at any depth), where nothing has that very
      name: the files that it matches, sorted, whatever their suffix. Hidden ones need a
      pattern that begins with a dot.
    - Anything else, as it is, even if missing: whoever loads it says what is wrong.

    Raises DarknetError for a folder without pictures or that may not be read, for a pattern
    without matches, and for an empty argument.
    """
    return [picture for argument in arguments for picture in _expand(os.fspath(argument))]


def read_list(lines: Iterable[str]) -> list[str]:
    """The names in the lines of a list file, or of standard input.

    Line ends of any kind, space around a name and a byte order mark fall away; blank lines
    and lines that begin with `#` are skipped. Names may hold spaces, and `#` further on; a
    name that begins with `#` is written `./#...`.
    """
    names = [line.removeprefix("\ufeff").strip() for line in lines]
    return [name for name in names if name and not name.startswith("#")]


def _expand(argument: str) -> list[Path]:
    if not argument:
        raise DarknetError("an empty name names no picture")
    if os.path.isdir(argument):
        return _in_folder(Path(argument))
    if glob.has_magic(argument) and not os.path.lexists(argument):
        return _matching(argument)
    return [Path(argument)]


def _in_folder(folder: Path) -> list[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise DarknetError(f"{one_line(folder)}: cannot be read: {error.strerror}") from error
    pictures = [path for path in inside if _is_picture(path)]
    if not pictures:
        advice = f"for folders in it, use '{one_line(folder / '*' / '*')}'"
        raise DarknetError(f"{one_line(folder)}: no pictures in this folder: {advice}")
    return pictures


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and path.suffix.lower() in SUFFIXES and not path.is_dir()


def _matching(pattern: str) -> list[Path]:
    # A pattern may match a folder by the way; only `**` would then give its pictures twice.
    names = [name for name in glob.glob(pattern, recursive=True) if not os.path.isdir(name)]
    if not names:
        raise DarknetError(f"{one_line(pattern)}: no file matches this pattern")
    return [Path(name) for name in sorted(names)]
