"""What is in a file, in 16 bytes: the same wherever it lies and whatever it is called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from darknet_py.errors import PictureError
from darknet_py.images.io.image import open_file
from darknet_py.ops.cpu.runtime.threads import thread_count

DIGEST = 16
"""Bytes."""


def file_digest(path: str | os.PathLike[str]) -> bytes:
    """Of a regular file. Raises PictureError, one line that begins with the path."""
    digest = blake2b(digest_size=DIGEST)
    try:
        with open_file(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except (PictureError, OSError) as error:
        reason = error if isinstance(error, PictureError) else f"cannot be read: {error.strerror}"
        raise PictureError(f"{path}: {reason}") from error
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
