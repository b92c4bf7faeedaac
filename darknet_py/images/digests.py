"""What is in a file, in 16 bytes: the same wherever it lies and whatever it is called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from darknet_py.errors import PictureError
from darknet_py.ops.cpu.threads import thread_count

DIGEST = 16
"""Bytes."""


def file_digest(path: str | os.PathLike[str]) -> bytes:
    """Of a picture's file. Raises PictureError."""
    digest = blake2b(digest_size=DIGEST)
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{path}: cannot be read: {reason}") from error
    return digest.digest()


def file_digests(
    paths: Sequence[str | os.PathLike[str]], workers: int | None = None
) -> list[bytes | PictureError]:
    """Of each file, in order, by threads; the error of one that cannot be read."""

    def digest(path: str | os.PathLike[str]) -> bytes | PictureError:
        try:
            return file_digest(path)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(workers or thread_count(), "darknet-digest") as pool:
        return list(pool.map(digest, paths, chunksize=64))
