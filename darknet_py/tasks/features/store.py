"""Features on the disk: rows of float32 in one file, whose pictures they are in another.

A row is written before its picture's digest and a checksum are. What is not whole, after whatever
happened to the process or the machine, is cut off when the files are next opened.
"""

from __future__ import annotations

import fcntl
import struct
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from types import TracebackType

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.images import DIGEST

_RECORD = struct.Struct(f"<{DIGEST}sI")
"""What stands in the second file for each row of the first: a digest, and the CRC-32 of it and the
row."""


class FeatureStore:
    """Rows of a shape, by the digest of their picture; to be used by one process at a time.

    Raises DarknetError where the folder cannot be used, or another process uses it.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.folder = folder
        self._shape = shape
        self._files = files = ExitStack()
        self._bytes = 4 * int(np.prod(shape))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # without a buffer, which would want to be written again where the disk was full
            self._data = files.enter_context(FileIO(folder / "features", "a+"))
            self._index = files.enter_context(FileIO(folder / "pictures", "a+"))
            self._lock()
            self._rows, self._count = self._recover()
        except OSError as error:
            files.close()
            raise self._fault(error) from error

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()

    def missing(self, digests: Sequence[bytes]) -> list[int]:
        """The places of those that have no row yet, each digest once."""
        places = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        return sorted(place for digest, place in places.items() if digest not in self._rows)

    def add(self, digests: Sequence[bytes], rows: np.ndarray) -> None:
        """Writes rows (n, *shape) of pictures that have none yet. Raises DarknetError."""
        content = [np.ascontiguousarray(row, np.float32).tobytes() for row in rows]
        records = [
            _RECORD.pack(digest, _checksum(digest, row))
            for digest, row in zip(digests, content, strict=True)
        ]
        try:
            _write(self._data, b"".join(content))
            _write(self._index, b"".join(records))
        except OSError as error:
            raise self._fault(error) from error
        self._rows |= {digest: self._count + place for place, digest in enumerate(digests)}
        self._count += len(digests)

    def rows_of(self, digests: Sequence[bytes]) -> np.ndarray:
        """The numbers (n,) of their rows, all of which must be there."""
        return np.array([self._rows[digest] for digest in digests], np.int64)

    def array(self) -> np.ndarray:
        """All rows, (rows, *shape), to be read: memory takes what is used alone."""
        path = self.folder / "features"
        return np.memmap(path, np.float32, "r", shape=(self._count, *self._shape))

    def _recover(self) -> tuple[dict[bytes, int], int]:
        """The rows by digest, and how many there are; both files cut to those that are whole."""
        rows: dict[bytes, int] = {}
        count = 0
        self._data.seek(0)
        self._index.seek(0)
        while len(record := self._index.read(_RECORD.size)) == _RECORD.size:
            digest, checksum = _RECORD.unpack(record)
            row = self._data.read(self._bytes)
            if len(row) < self._bytes or _checksum(digest, row) != checksum:
                break
            rows[digest] = count
            count += 1
        self._data.truncate(count * self._bytes)
        self._index.truncate(count * _RECORD.size)
        return rows, count

    def _lock(self) -> None:
        """For as long as the file is open; a process that dies lets go of it."""
        try:
            fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._files.close()
            raise DarknetError(
                f"{self.folder}: another process writes features there: wait for it, or use "
                "another --cache"
            ) from error

    def _fault(self, error: OSError) -> DarknetError:
        reason = error.strerror or str(error)
        return DarknetError(
            f"{self.folder}: features cannot be kept: {reason}: use another --cache, or --no-cache"
        )


def _checksum(digest: bytes, row: bytes) -> int:
    return zlib.crc32(row, zlib.crc32(digest))


def _write(file: FileIO, content: bytes) -> None:
    """All of it, where the system would stop early."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
