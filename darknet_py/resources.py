"""Where a named file is: beside the user, beside the file that names it, or in what we ship."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_PACKAGE = Path(__file__).resolve().parent
_SHARE = _PACKAGE / "_share"  # cfg/ and data/, in an installed copy


def find_resource(name: str, beside: Path | None = None) -> Path | None:
    """Find the file that the command line or a `.data` file calls `name`.

    `cfg/imagenet1k.data` says `names = data/imagenet.shortnames.list`, which the C program
    only finds when it is run from its own folder. Here a name is looked for

    1. as given: absolute, or relative to the working directory;
    2. relative to `beside`, the folder of the file that names it, and to that folder's parent;
    3. in the cfg/ and data/ of the installed package;
    4. in the cfg/ and data/ of the checkout that the package runs from.

    The first that exists wins. Pipes such as /dev/stdin are found, but not for a file that names
    them, whose reader would wait for who knows what; folders are not, and an absolute name is
    looked for nowhere else. Returns None where nothing is found.
    """
    given = Path(name)
    places = [given]
    if not given.is_absolute():
        if beside is not None:
            # abspath: the parent of "." is not "."
            places += [beside / name, Path(os.path.abspath(beside)).parent / name]
        places.append(_SHARE / name)
        if (_PACKAGE.parent / "pyproject.toml").is_file():
            places.append(_PACKAGE.parent / name)
    # Not Path.exists, which raises where a folder on the way may not be searched.
    if beside is not None:
        return next((p for p in places if os.path.isfile(p)), None)
    return next((p for p in places if os.path.exists(p) and not os.path.isdir(p)), None)


def shipped_folders() -> list[Path]:
    """The cfg/ and data/ that come with the program, those of them that there are."""
    roots = [_SHARE]
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        roots.append(_PACKAGE.parent)
    found = [root / name for root in roots for name in ("cfg", "data")]
    return [folder for folder in found if folder.is_dir()]


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a file to read whose name was not typed by the user, or comes from who knows where.

    Raises OSError, IsADirectoryError for a folder, for what is no regular file: a pipe would be
    waited for, and a device need not end. A link counts as what it leads to. ValueError: a name
    with a zero byte.
    """
    _check_regular(os.stat(path), path)  # opening a device may do something already
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check_regular(os.fstat(handle), path)  # what is there now
        return open(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def _check_regular(found: os.stat_result, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", path)
