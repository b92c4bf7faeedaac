"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from darknet_py.errors import DarknetError

_PREFIX, _SUFFIX = ".darknet-", ".part"
_OWNED = re.compile(rf"{re.escape(_PREFIX)}(?P<host>.*)-(?P<pid>[0-9]+)-[^-]*{re.escape(_SUFFIX)}")
"""The name of a file that a process is writing: which one, on which machine."""


@contextmanager
def atomic_file(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the name `path` when the block ends well.

    It is written beside, flushed to the disk, then renamed: whatever happens, `path` is the old
    file or the new one. Where the block fails, nothing is left. Through a link, not over it; a pipe
    or a device is written to as it comes. Raises OSError.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    owner = f"{_PREFIX}{_host()}-{os.getpid()}-"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=owner, suffix=_SUFFIX)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file, UTF-8, as `atomic_file` does; bytes of names of files stay as they are.
    Raises DarknetError."""
    try:
        with atomic_file(path) as file:
            file.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise DarknetError(f"{path}: cannot be written: {error.strerror or error}") from error


def make_folder(path: str | Path) -> Path:
    """A folder that is there, made with those above it if need be. Raises DarknetError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = why_no_folder(path) or error.strerror or str(error)
        raise DarknetError(f"{path}: cannot be a folder for pictures: {reason}") from error
    return Path(path)


def why_no_folder(path: str | Path) -> str:
    """What stands where a folder, or one above it, should be or come to be; empty: nothing."""
    place = Path(path)
    try:
        os.lstat(place)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return error.strerror or str(error)
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if os.path.isdir(place):
        return ""
    if os.path.islink(place):
        return f"{place} is a link to {os.readlink(place)}, where no folder is"
    return f"{place} is a file" if os.path.isfile(place) else f"{place} is no folder"


def remove_leftovers(folder: Path) -> None:
    """Removes what processes that were killed while they wrote have left in a folder; what one that
    lives, or one of another machine, is writing stays."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        owner = _OWNED.fullmatch(path.name)
        if owner is None or (owner["host"] == _host() and not is_alive(int(owner["pid"]))):
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, say
        return True
    return True


def _host() -> str:
    return re.sub("[^A-Za-z0-9]", "_", socket.gethostname())[:64]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
