"""Arguments of the command line expanded to files of pictures."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from darknet_py.errors import DarknetError
from darknet_py.images.arrays import FileName

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
)
"""Suffixes of pictures in a folder, in lower case."""


LITTER = (
    *("__macosx", "@eadir", "@__thumb", "#recycle", "@recycle", ".thumbnails", "lost+found"),
    *("$recycle.bin", "system volume information"),
)
"""Folders that systems create beside pictures, in lower case: trash, thumbnails, metadata."""

Refuse = Callable[[DarknetError], object]


def _raise(error: DarknetError) -> NoReturn:
    raise error


def find_pictures(arguments: Iterable[FileName], refuse: Refuse = _raise) -> list[Path]:
    """The files that the arguments name, in their order.

    - A folder: the files in it, at any depth, that have a picture's suffix (SUFFIXES, in large or
      small letters), sorted; hidden files and folders, and a system's own (LITTER), are left out.
      Links to folders are followed, each folder once.
    - A pattern (`*`, `?`, `[`; `**` for folders at any depth), where nothing has that very
      name: the files that it matches, sorted, whatever their suffix. Hidden ones need a
      pattern that begins with a dot.
    - Anything else, as it is, even if missing: loading it reports the error.

    refuse: called with the DarknetError of a folder without pictures or that may not be read, of a
    pattern without matches, and of an empty argument; raises it by default.
    """
    found: list[Path] = []
    for argument in arguments:
        try:
            found += _expand(os.fspath(argument), refuse)
        except DarknetError as error:
            refuse(error)
    return found


def read_list(lines: Iterable[str]) -> list[str]:
    """The names in the lines of a list file, or of standard input.

    Line ends of any kind, space around a name and a byte order mark are stripped; blank lines
    and lines that begin with `#` are skipped. Names may hold spaces, and `#` further on; a
    name that begins with `#` is written `./#...`.
    """
    names = [line.removeprefix("\ufeff").strip() for line in lines]
    return [name for name in names if name and not name.startswith("#")]


def _expand(argument: str, refuse: Refuse) -> list[Path]:
    if not argument:
        raise DarknetError("an empty name names no picture")
    if os.path.isdir(argument):
        return _in_folder(Path(argument), refuse)
    if glob.has_magic(argument) and not os.path.lexists(argument):
        return _matching(argument)
    return [Path(argument)]


def _in_folder(folder: Path, refuse: Refuse) -> list[Path]:
    faults: list[OSError] = []
    pictures = sorted(_walk(folder, faults.append))
    for fault in faults:
        where = fault.filename or folder
        error = DarknetError(f"{where}: cannot be read: {fault.strerror}")
        refuse(error)
    if not pictures and not faults:
        known = ", ".join(SUFFIXES[:5])
        raise DarknetError(
            f"{folder}: no pictures in this folder, nor in those in it ({known} ...)"
        )
    return pictures


def _walk(folder: Path, on_fault: Callable[[OSError], object]) -> Iterator[Path]:
    been: set[tuple[int, int]] = set()
    for root, folders, files in walk(folder, on_fault):
        try:
            status = os.stat(root)
        except OSError as error:  # it has just gone
            on_fault(error)
            folders.clear()
            continue
        identity = status.st_dev, status.st_ino
        if identity in been:
            folders.clear()
            continue
        been.add(identity)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(root, name) for name in files if is_picture(name))


def walk(
    folder: FileName, on_fault: Callable[[OSError], object]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """os.walk, top down, following links, to any depth: up to Python 3.11 os.walk is recursive."""
    waiting = [os.fspath(folder)]
    while waiting:
        root = waiting.pop()
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(root) as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else files).append(entry.name)
        except OSError as error:
            on_fault(error)
            continue
        yield root, folders, files
        waiting += [os.path.join(root, name) for name in reversed(folders)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in circles
        return False


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return name.startswith(".") or name.lower() in LITTER


def is_picture(name: str) -> bool:
    """Whether a file in a folder is known as a picture."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in SUFFIXES


def _matching(pattern: str) -> list[Path]:
    # A pattern may match folders too; `**` would give their pictures twice.
    try:
        names = [name for name in glob.glob(pattern, recursive=True) if not os.path.isdir(name)]
    except RecursionError as error:
        advice = "name a folder further down"
        raise DarknetError(f"{pattern}: folders lie in folders too often: {advice}") from error
    if not names:
        raise DarknetError(f"{pattern}: no such file, and none matches it as a pattern")
    return [Path(name) for name in sorted(names)]
