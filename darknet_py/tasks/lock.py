"""One process at a time writes into a run's folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from darknet_py.atomic import remove_leftovers, why_no_folder
from darknet_py.errors import TrainingError
from darknet_py.untrusted import BadValueError, fields, integer, open_file, parse_json, text

_LOCK, _HOLDER = ".darknet.lock", ".darknet.holder"
_MOST_BYTES = 1000
"""Of what says who holds the lock."""


@contextmanager
def only_process_in(folder: Path) -> Iterator[None]:
    """Within the block no other process trains into the folder, which is made if need be, and goes
    again where nothing came into it. What processes that were killed while they wrote have left
    there goes. The lock goes with the process, however that ends.

    Raises TrainingError where another process is there, and says which; or where the folder cannot
    be made or written to.
    """
    made = _make(folder)
    lock = FileLock(folder / _LOCK)
    holder = folder / _HOLDER
    try:
        lock.acquire(timeout=0)
        holder.unlink(missing_ok=True)  # a link there may lead to anybody's file
        with holder.open("x") as file:
            json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
    except Timeout as error:
        raise TrainingError(
            f"{folder}: {_who(holder)} is training there: wait for it, or choose another folder"
        ) from error
    except (OSError, NotImplementedError) as error:
        _leave(folder, lock, made)
        reason = getattr(error, "strerror", None) or str(error)
        raise TrainingError(f"{folder}: cannot be written to: {reason}") from error
    try:
        remove_leftovers(folder)
        yield
    finally:
        _leave(folder, lock, made)


def _who(holder: Path) -> str:
    """The process that holds the lock, as far as it has said."""
    try:
        with open_file(holder) as file:
            found = fields(parse_json(file.read(_MOST_BYTES)), "it", ("pid", "host"))
        pid, host = integer(found["pid"], "pid"), text(found["host"], "host", r"[\w.-]+")
    except (OSError, BadValueError):
        return "another process"
    if host != socket.gethostname():
        return f"process {pid} of {host}"
    return "this process" if pid == os.getpid() else f"process {pid}"


def _make(folder: Path) -> list[Path]:
    """Makes a folder; those that were not there, the innermost first."""
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        reason = why_no_folder(folder) or error.strerror or str(error)
        raise TrainingError(f"{folder}: cannot be a folder for results: {reason}") from error
    return missing


def _leave(folder: Path, lock: FileLock, made: list[Path]) -> None:
    if lock.is_locked:
        # while the lock is held, so that nobody else's go; the folder may have vanished meanwhile
        for name in (_HOLDER, _LOCK):
            with suppress(OSError):
                (folder / name).unlink()
        with suppress(OSError):
            lock.release()
    _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
