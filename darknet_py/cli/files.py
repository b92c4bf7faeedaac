"""Files that commands write: checked before the work, and nothing replaced in silence.

One rule for all: where a file has the name that was given, it stays, unless --overwrite says
otherwise; a name that the program chose itself takes the next free number instead (filters.png,
filters-2.png).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import click

from darknet_py.atomic import why_no_folder
from darknet_py.errors import DarknetError

PICTURES = (".png", ".jpg", ".jpeg")
"""What pictures are written as."""
DRAWINGS = (*PICTURES, ".svg")
"""What charts are written as."""
_READ = "names", "valid", "guide", "mask"
"""Options that name files to read."""
_NOT_READ = "out", "output", "runs"
"""Arguments that name none: of runs only tables are read, and a chart beside them is redrawn."""


def output_file(given: str | None, default: str, suffixes: Sequence[str] = ()) -> Path:
    """The file to write: as given, else `default` or the first free one of default-2, -3 ...

    suffixes: in small letters, the ones that it may have; any if there are none. Raises
    DarknetError where it could not be written.
    """
    path = Path(given) if given is not None else free_path(Path(default))
    check_output(path, suffixes)
    return path


def check_output(path: Path, suffixes: Sequence[str] = ()) -> None:
    """Raises DarknetError where a file could not be written: name, folder, permissions."""
    if suffixes and path.suffix.lower() not in suffixes:
        _refuse(path, f"end the name in {', '.join(suffixes)}")
    try:
        path.stat()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            _refuse(path, error.strerror or str(error))
    if os.path.isfile(path) and _is_read(path):
        _refuse(path, "is read by this command: name another file")
    if os.path.isfile(path) and not _may_overwrite():
        raise DarknetError(f"{path}: is there already: name another file, or add --overwrite")
    if os.path.isdir(path):
        _refuse(path, "is a folder: name a file in it")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        _refuse(path, "is there, and may not be changed")
    if not os.path.exists(path) or os.path.isfile(
        path
    ):  # not a pipe: it is written beside and moved there
        real = Path(os.path.realpath(path)) if os.path.islink(path) else path
        _check_folder(path, real.parent)


def check_output_folder(folder: Path) -> None:
    """Raises DarknetError where files could not be written into a folder, which may yet have to be
    made, with those above it."""
    reason = why_no_folder(folder)
    if reason:
        raise DarknetError(f"{folder}: cannot be a folder for pictures: {reason}")
    above = folder
    while not os.path.isdir(above):
        above = above.parent
    _check_folder(folder, above)


def free_path(path: Path) -> Path:
    """The path, or with -2, -3 ... before its suffix the first that nothing has."""
    return path.with_name(free_stem(path.parent, path.stem, [path.suffix]) + path.suffix)


def free_stem(folder: Path, stem: str, endings: Sequence[str]) -> str:
    """The stem, or with -2, -3 ... the first with which none of the endings makes a file's name."""
    name, number = stem, 1
    while any(os.path.lexists(folder / f"{name}{ending}") for ending in endings):
        number += 1
        name = f"{stem}-{number}"
    return name


def _may_overwrite() -> bool:
    context = click.get_current_context(silent=True)
    return context is None or bool(context.params.get("overwrite"))


def _is_read(path: Path) -> bool:
    """Whether the running command was given this file to read: its arguments, or a picture in a
    folder that is one, or the file of an option."""
    context = click.get_current_context(silent=True)
    given: list[object] = []
    for each in context.command.params if context else ():
        is_argument = isinstance(each, click.Argument) and each.name not in _NOT_READ
        if context and (is_argument or each.name in _READ):
            value = context.params.get(each.name or "")
            given += value if isinstance(value, tuple) else [value]
    there = [Path(str(one)) for one in given if one and os.path.exists(str(one))]
    is_picture = path.suffix.lower() in PICTURES
    return any(
        Path(os.path.realpath(path)).is_relative_to(os.path.realpath(one)) and is_picture
        if os.path.isdir(one)
        else os.path.samefile(path, one)
        for one in there
    )


def _check_folder(path: Path, folder: Path) -> None:
    if not os.path.exists(folder):
        _refuse(path, f"there is no folder {folder}: make it first")
    if not os.path.isdir(folder):
        _refuse(path, f"{folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        _refuse(path, f"the folder {folder} may not be written to")


def _refuse(path: Path, reason: str) -> None:
    raise DarknetError(f"{path}: cannot be written: {reason}")
