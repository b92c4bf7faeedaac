"""What was compiled, on disk: a folder for each version of the sources and the processor.

Whatever is wrong with the cache, kernels are compiled again: a file counts only if it is whole
(a digest says so), is written under another name and renamed, and what cannot be written is done
without. What others could have written is not run.
"""

from __future__ import annotations

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

CACHE_VARIABLE = "DARKNET_CACHE_DIR"
"""Where compiled kernels are kept, if not in the user's cache folder."""

KEY_LENGTH = 24
_KEY = re.compile(f"[0-9a-f]{{{KEY_LENGTH}}}")
_DIGEST = hashlib.sha256().digest_size
_DAY = 24 * 3600
_OLD = 30 * _DAY
"""Seconds after which the kernels of a version that nobody has used are thrown away."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_key(*parts: bytes) -> str:
    """The name of a folder for what depends on all of these."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:KEY_LENGTH]


def load(folder: Path | None, name: str) -> bytes | None:
    """What was stored under a name, or None if it is not there, not whole or not ours."""
    if folder is None:
        return None
    try:
        with open(folder / name, "rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            content = file.read()
    except OSError:
        return None
    digest, data = content[:_DIGEST], content[_DIGEST:]
    return data if hashlib.sha256(data).digest() == digest else None


def store(folder: Path | None, name: str, data: bytes) -> None:
    """Keeps data under a name, whole or not at all; not being able to is no error."""
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, exist_ok=True)  # another process may have cleared it away
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".")
    except OSError:
        return
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, folder / name)
    except OSError:
        return
    finally:  # whole, it has another name by now
        _remove(temporary)


@once
def folder(key: str) -> Path | None:
    """The folder of a key, which make_key gave; None where nothing can be written."""
    for root in _roots():
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_safe(root):
                continue
            here = root / key
            if not here.exists():
                _clear_old(root)
                here.mkdir(mode=0o700, exist_ok=True)
            if _is_safe(here) and _can_write(here):
                return here
        except OSError:
            continue
    return None


def _roots() -> Iterator[Path]:
    """Absolute, as the process may go to another folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        yield Path(named).expanduser().absolute()
        return
    # a relative one is to be ignored, says the XDG Base Directory Specification
    user = Path(os.environ.get("XDG_CACHE_HOME") or "")
    if not user.is_absolute():
        mac = sys.platform == "darwin"
        user = Path("~/Library/Caches" if mac else "~/.cache")
    with suppress(RuntimeError):  # there is no home
        yield user.expanduser().absolute() / "darknet"
    try:
        temporary = Path(tempfile.gettempdir()).absolute()
    except OSError:  # there is no such folder
        return
    yield temporary / f"darknet-{os.getuid() if hasattr(os, 'getuid') else 0}"


def _is_safe(path: Path) -> bool:
    """Whether a folder is one that nobody else may write into, nor a link that another made."""
    return _is_ours(path.stat()) and _owner_is_ours(path.lstat())


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can have written it."""
    return _owner_is_ours(found) and not found.st_mode & _OTHERS_MAY_WRITE


def _owner_is_ours(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid in (os.getuid(), 0)


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
        if other.is_dir() and other.stat().st_mtime < time.time() - _OLD:
            shutil.rmtree(other, ignore_errors=True)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
