"""Features on the disk: rows of float32 in one file, whose pictures they are in another.

A row is written and flushed before its picture's digest is: whatever happens, each digest has its
row, and what lies beyond is cut off when the files are next opened.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.images import DIGEST


class FeatureStore:
    """Rows of a shape, by the digest of their picture; to be used by one process at a time.

    Raises DarknetError where the folder cannot be used, or another process uses it.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.folder = folder
        self._shape = shape
        self._bytes = 4 * int(np.prod(shape))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._data = open(folder / "features", "a+b")
            self._index = open(folder / "pictures", "a+b")
        except OSError as error:
            raise self._fault(error) from error
        self._lock()
        self._rows = self._recover()

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._index.close()
        self._data.close()

    def missing(self, digests: Sequence[bytes]) -> list[int]:
        """The places of those that have no row yet, each digest once."""
        places = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        return sorted(place for digest, place in places.items() if digest not in self._rows)

    def add(self, digests: Sequence[bytes], rows: np.ndarray) -> None:
        """Writes rows (n, *shape) of pictures that have none yet. Raises DarknetError."""
        try:
            _append(self._data, np.ascontiguousarray(rows, np.float32).tobytes())
            _append(self._index, b"".join(digests))
        except OSError as error:
            raise self._fault(error) from error
        for digest in digests:
            self._rows[digest] = len(self._rows)

    def rows_of(self, digests: Sequence[bytes]) -> np.ndarray:
        """The numbers (n,) of their rows, all of which must be there."""
        return np.array([self._rows[digest] for digest in digests], np.int64)

    def array(self) -> np.ndarray:
        """All rows, (rows, *shape), to be read: memory takes what is used alone."""
        path = self.folder / "features"
        return np.memmap(path, np.float32, "r", shape=(len(self._rows), *self._shape))

    def _recover(self) -> dict[bytes, int]:
        """Both files cut to the rows that are whole; the rows by digest."""
        sizes = (self._data.seek(0, 2) // self._bytes, self._index.seek(0, 2) // DIGEST)
        count = min(sizes)
        self._data.truncate(count * self._bytes)
        self._index.truncate(count * DIGEST)
        self._index.seek(0)
        held = self._index.read()
        return {held[DIGEST * row : DIGEST * (row + 1)]: row for row in range(count)}

    def _lock(self) -> None:
        """For as long as the file is open; a process that dies lets go of it."""
        try:
            fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.__exit__(None, None, None)
            raise DarknetError(
                f"{self.folder}: another process writes features there: wait for it, or use "
                "another --cache"
            ) from error

    def _fault(self, error: OSError) -> DarknetError:
        reason = error.strerror or str(error)
        return DarknetError(
            f"{self.folder}: features cannot be kept: {reason}: use another --cache, or --no-cache"
        )


def _append(file: BinaryIO, content: bytes) -> None:
    """Writes to the end, and waits until it is on the disk."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
