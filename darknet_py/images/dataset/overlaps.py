"""Leaks: pictures that are in the training and in the validation set."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

from darknet_py.errors import PictureError
from darknet_py.images.arrays import FileName
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.dataset.readable import in_threads
from darknet_py.images.io.image import about, open_file

_Files = dict[tuple[int, Hashable], list[Path]]
"""Paths under (size, an identity within files of this size)."""

DIGEST = 16
"""Bytes of a file's digest."""


def file_digest(path: FileName) -> bytes:
    """Of a regular file's content. Raises PictureError, one line that begins with the path."""
    digest = blake2b(digest_size=DIGEST)
    with about(path), open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def file_digests(
    paths: Sequence[FileName], workers: int | None = None
) -> list[bytes | PictureError]:
    """Of each file, in order, by threads; the error of one that cannot be read."""

    def digest(path: FileName) -> bytes | PictureError:
        try:
            return file_digest(path)
        except PictureError as error:
            return error

    return list(in_threads(digest, paths, workers))


def overlap(train: Dataset, valid: Dataset, content: bool = False) -> list[tuple[Path, Path]]:
    """The pictures of `valid` that `train` has too, as (path in train, path in valid).

    The same file counts under any name (a link, another spelling of the path). With `content`, a
    copy counts as well: files of one size are compared by digest. Files that cannot be read are
    left out: `scan` names them.
    """
    train_files, valid_files = _by_file(train.paths), _by_file(valid.paths)
    if content:
        shared = {size for size, _ in train_files} & {size for size, _ in valid_files}
        train_files = _by_content(train_files, shared)
        valid_files = _by_content(valid_files, shared)
    return [
        (train_files[key][0], path)
        for key, paths in valid_files.items()
        for path in paths
        if key in train_files
    ]


def _by_file(paths: Iterable[Path]) -> _Files:
    files: _Files = defaultdict(list)
    for path in paths:
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            continue
        files[status.st_size, (status.st_dev, status.st_ino)].append(path)
    return files


def _by_content(files: _Files, sizes: set[int]) -> _Files:
    found: _Files = defaultdict(list)
    for (size, _), paths in files.items():
        if size in sizes:
            try:
                digest = file_digest(paths[0])
            except PictureError:
                continue
            found[size, digest] += paths
    return found
