"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from darknet_py.errors import DarknetError

try:
    import fcntl
except ImportError:  # Windows has other locks, and other systems may have none
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = ".darknet-", ".part"
NO_LINK_NO_WAIT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""For os.open: no link is followed, and a pipe that stands there is not waited for."""
_tidied: set[Path] = set()
"""Folders in which this process has removed the leftovers of killed ones."""


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write, which takes the name `path` when the block ends well.

    A temporary file beside it is written, synced, then renamed: `path` is always the old file or
    the new one. Where the block fails, nothing is left; the leftovers of a killed process are
    removed when another first writes into the folder. Links are followed; pipes and devices are
    written directly. Raises OSError.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    if path.parent not in _tidied:
        remove_leftovers(path.parent)
        _tidied.add(path.parent)
    handle, temporary = _new_part(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if sys.platform != "win32" and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
            if sys.platform != "win32":
                os.replace(temporary, path)  # before it is closed, as the lock goes with that
        if sys.platform == "win32":  # where no open file can be renamed
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def lock_file(handle: int, wait: bool = False) -> None:
    """Takes the lock of an open file, which goes when that is closed, or its process ends. Raises
    BlockingIOError where another process has it, unless it is to wait, and OSError where there are
    no locks."""
    if sys.platform == "win32":
        import msvcrt

        position = os.lseek(handle, 0, os.SEEK_CUR)
        os.lseek(handle, 1 << 40, os.SEEK_SET)  # behind all content, which others may read
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
        finally:
            os.lseek(handle, position, os.SEEK_SET)
    elif fcntl is None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    else:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file, UTF-8, as `atomic_file` does; undecodable bytes of file names are kept.
    Raises DarknetError."""
    try:
        with atomic_file(path) as file:
            file.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise DarknetError(f"{path}: cannot be written: {error.strerror or error}") from error


def make_folder(path: str | Path) -> Path:
    """Creates a folder with its parents unless it exists. Raises DarknetError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = why_no_folder(path) or error.strerror or str(error)
        raise DarknetError(f"{path}: cannot be a folder for pictures: {reason}") from error
    return Path(path)


def why_no_folder(path: str | Path) -> str:
    """Why a folder does not exist or cannot be created there: what is in its place, or in that of a
    parent; empty if nothing is."""
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
    """Removes the temporary files of killed processes in a folder: those that no process, on any
    machine, holds a lock on."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        # OSError: it is being written, is another user's, or there are no locks here
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR | NO_LINK_NO_WAIT)
            try:
                lock_file(handle)
                if sys.platform != "win32":
                    path.unlink()
            finally:
                os.close(handle)
            if sys.platform == "win32":
                path.unlink()


def _new_part(folder: Path) -> tuple[int, Path]:
    """A file that this process holds a lock on."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
        with suppress(OSError):  # where there are no locks, nothing is ever removed
            lock_file(handle, wait=True)
        if os.path.exists(name):
            return handle, Path(name)
        os.close(handle)  # another process has just removed it as a leftover


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
