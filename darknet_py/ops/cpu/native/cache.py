"""Compiled kernels on disk: a folder for each version of the sources and the processor.

Whatever is wrong with the cache, kernels are compiled again: a file counts only if it is whole
(a digest says so), is written under another name and renamed, and what cannot be written is done
without.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path

CACHE_VARIABLE = "DARKNET_CACHE_DIR"
"""Where compiled kernels are kept, if not in the user's cache folder."""

_DIGEST = hashlib.sha256().digest_size
_OLD = 30 * 24 * 3600
"""Seconds after which the kernels of another version are thrown away."""


def load(folder: Path | None, name: str) -> bytes | None:
    """What was stored under a name, or None if it is not there or not whole."""
    if folder is None:
        return None
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return None
    digest, data = content[:_DIGEST], content[_DIGEST:]
    return data if hashlib.sha256(data).digest() == digest else None


def store(folder: Path | None, name: str, data: bytes) -> None:
    """Keeps data under a name, whole or not at all; not being able to is no error."""
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".")
    except OSError:
        return
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, folder / name)
    except OSError:
        Path(temporary).unlink(missing_ok=True)


@once
def folder(key: str) -> Path | None:
    """The folder for kernels of this key; None where nothing can be written."""
    for root in _roots():
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            here = root / key
            if not here.exists():
                _clear_old(root)
                here.mkdir(mode=0o700, exist_ok=True)
            if _is_ours(here):
                return here
        except OSError:
            continue
    return None


def _roots() -> Iterator[Path]:
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        yield Path(named)
        return
    mac = sys.platform == "darwin"
    user = os.environ.get("XDG_CACHE_HOME") or ("~/Library/Caches" if mac else "~/.cache")
    try:
        yield Path(user).expanduser() / "darknet"
    except RuntimeError:  # there is no home
        pass
    yield Path(tempfile.gettempdir()) / f"darknet-{os.getuid() if hasattr(os, 'getuid') else 0}"


def _is_ours(path: Path) -> bool:
    """Whether code in this folder may be run: nobody else can have put it there."""
    if not hasattr(os, "getuid"):
        return os.access(path, os.W_OK)
    for place in (path, path.parent):
        found = place.stat()
        if found.st_uid not in (os.getuid(), 0) or stat.S_IMODE(found.st_mode) & 0o022:
            return False
    return True


def _clear_old(root: Path) -> None:
    for other in root.iterdir():
        if other.is_dir() and other.stat().st_mtime < time.time() - _OLD:
            shutil.rmtree(other, ignore_errors=True)
