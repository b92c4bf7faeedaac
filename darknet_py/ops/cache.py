"""The cache of compiled code on disk.

A file is used only if it is whole, and if nobody else can have put it there; otherwise what it held
is made again. Two checks come before anything is loaded or unpickled:

- A digest, stored before the content, finds *damage*: a flipped bit, a cut, a file under another's
  name. It does not stop an attacker, who can change the digest too.
- *Owner and mode* keep out *other users*: of the file, of its folder, and of each folder and link
  on the way there. What anyone but this user and root could have written or moved is not read.

Failing to write is no error. A file is written under another name and renamed, so that others find
it whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache as once
from pathlib import Path

from darknet_py.atomic import NO_LINK_NO_WAIT
from darknet_py.ops.notices import note
from darknet_py.resources import user_cache

CACHE_VARIABLE = "DARKNET_CACHE_DIR"
"""Where compiled kernels are kept, if not in the user's cache folder."""

KEY_LENGTH = 24
_KEY = re.compile(f"[0-9a-f]{{{KEY_LENGTH}}}")
_DIGEST = hashlib.sha256().digest_size
_MOST = 1 << 28
"""Bytes of the largest file that is read: a thousand times as many as a large kernel has."""
_HOUR = 3600
_DAY = 24 * _HOUR
_OLD = 30 * _DAY
"""Seconds after which what nobody has used is thrown away."""
_PART = re.compile(r"\.(?P<pid>[0-9]+)-.*\.part")
"""The name of a file that a process is writing."""
_MOST_LINKS = 40


def make_key(*parts: bytes) -> str:
    """A name for what depends on all of these."""
    return _digest(*parts).hex()[:KEY_LENGTH]


def load(folder: Path | None, name: str) -> bytes | None:
    """What was stored under a name, or None if it is not there, not whole or not ours."""
    if folder is None:
        return None
    try:
        with open(folder / name, "rb", opener=_open) as file:
            found = os.fstat(file.fileno())
            is_ours = _owner_is_ours(found) and not _others_may_write(found)
            if not stat.S_ISREG(found.st_mode) or not is_ours or found.st_size > _MOST:
                return None
            content = file.read()
    except OSError:
        return None
    if found.st_mtime < time.time() - _DAY:
        with suppress(OSError):
            os.utime(folder / name)  # in use: not to be cleared away as old
    digest, data = content[:_DIGEST], content[_DIGEST:]
    return data if _digest(os.fsencode(folder.name), name.encode(), data) == digest else None


def store(folder: Path | None, name: str, data: bytes) -> None:
    """Keeps data under a name, whole or not at all; not being able to is no error."""
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, exist_ok=True)  # another process may have cleared it away
        _clear_leftovers(folder)
        handle, part = tempfile.mkstemp(dir=folder, prefix=f".{os.getpid()}-", suffix=".part")
    except OSError:
        return
    try:
        with open(handle, "wb") as file:
            file.write(_digest(os.fsencode(folder.name), name.encode(), data) + data)
        _replace(part, folder / name)
    except OSError:
        return
    finally:  # whole, it has another name by now
        with suppress(OSError):
            os.unlink(part)


@once
def folder(key: str) -> Path | None:
    """The folder of a key, which make_key gave; None where nothing can be kept.

    One that others could write to is not used, and a notice says so.
    """
    for root in roots():
        here = root / key
        try:
            if not _is_safe(root):
                continue
            if not here.is_dir():
                here.unlink(missing_ok=True)
                _make(here)
                _clear_old(root)
            if _is_safe(here) and _can_write(here):
                return here
        except OSError:
            continue
    return None


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | NO_LINK_NO_WAIT)


def _replace(part: str, path: Path) -> None:
    try:
        os.replace(part, path)
    except IsADirectoryError:  # the place is ours
        shutil.rmtree(path, ignore_errors=True)
        os.replace(part, path)


def roots() -> Iterator[Path]:
    """Folders for what is kept, the best first; absolute, as the process may change its own."""
    # there may be no home, nor a temporary folder, nor one that the process is in
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        with suppress(RuntimeError, OSError):
            yield Path(named).expanduser().absolute()
        return
    with suppress(RuntimeError, OSError):
        yield user_cache()
    if _user() is not None:
        with suppress(OSError):
            yield Path(tempfile.gettempdir()).absolute() / f"darknet-{_user()}"


def _is_safe(path: Path) -> bool:
    """Whether nobody else can write to a folder, or put another in its place; if not, a notice says
    why. What is not there yet is safe."""
    for here, found, is_last in _way(path):
        is_link = stat.S_ISLNK(found.st_mode)
        # above, others may write where they cannot move what is not theirs: in /tmp
        is_sticky = found.st_mode & stat.S_ISVTX and not is_last
        if not _owner_is_ours(found):
            why = f"{here} belongs to another user: name"
        elif _others_may_write(found) and not is_link and not is_sticky:
            why = f"others can write to {here}: forbid it (chmod go-w), or name"
        else:
            continue
        note(f"no kernels are kept in {path}, as {why} another folder in {CACHE_VARIABLE}")
        return False
    return True


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Each folder and each link that is passed on the way to an absolute path, from the top, as far
    as it is there, and whether it is the last. Raises OSError."""
    here, rest = Path(path.anchor), list(path.parts[1:])
    yield here, here.lstat(), not rest
    links = 0
    while rest:
        name = rest.pop(0)
        before, here = here, here.parent if name == ".." else here / name
        try:
            found = here.lstat()
        except FileNotFoundError:
            return
        yield here, found, not rest
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = Path(os.readlink(here))
            here = Path(target.anchor) if target.is_absolute() else before
            rest = [*target.parts[target.is_absolute() :], *rest]


def _user() -> int | None:
    """The user's number; None where owners and modes of files say nothing, as on Windows: there a
    user's folder is closed to others by other means."""
    if sys.platform == "win32" or not hasattr(os, "getuid"):
        return None
    return os.getuid()


def _others_may_write(found: os.stat_result) -> bool:
    """By the mode. A user's own group, which has the user's number where each user has one, is none
    of others: with it comes the umask 002, and a ~/.cache that it may write to."""
    if _user() is None:
        return False
    is_own = found.st_gid == found.st_uid == _user() != 0
    return bool(found.st_mode & (stat.S_IWOTH if is_own else stat.S_IWGRP | stat.S_IWOTH))


def _owner_is_ours(found: os.stat_result) -> bool:
    """Ours, root's, or of whom all files are, who is not root within some containers."""
    return _user() is None or found.st_uid in (_user(), 0, os.stat("/").st_uid)


def _make(here: Path) -> None:
    """Makes a folder, and those above it, for this user alone."""
    for each in reversed([here, *here.parents]):
        each.mkdir(mode=0o700, exist_ok=True)


def _can_write(here: Path) -> bool:
    """Tries, as permission bits do not say: a file system may be full or mounted read-only."""
    try:
        if here.stat().st_mtime < time.time() - _DAY:
            os.utime(here)  # in use: not to be cleared away as old
        with tempfile.TemporaryFile(dir=here) as file:
            file.write(b"darknet")
    except OSError:
        # what is there can be read all the same
        return any(here.iterdir())
    return True


def _clear_old(root: Path) -> None:
    """Throws other versions away; what else is in the folder is none of ours."""
    for other in root.iterdir():
        if not _KEY.fullmatch(other.name) or other.is_symlink():
            continue
        with suppress(OSError):  # another process does the same
            if other.is_dir() and other.stat().st_mtime < time.time() - _OLD:
                shutil.rmtree(other, ignore_errors=True)


def _clear_leftovers(folder: Path) -> None:
    """Throws away what writers that were killed have left, and what nobody uses any more."""
    for path in folder.iterdir():
        with suppress(OSError):
            age = time.time() - path.lstat().st_mtime
            part = _PART.fullmatch(path.name)
            if age > _OLD or (part and (age > _HOUR or not _is_alive(int(part["pid"])))):
                path.unlink()


def _is_alive(pid: int) -> bool:
    """Whether there is such a process, anybody's, on this machine."""
    if sys.platform == "win32":
        return True  # os.kill would end it; what is old goes anyway
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
