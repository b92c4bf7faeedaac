"""The file format of a state: a header, bytes and arrays, read whole or refused.

    magic     16 bytes, `darknet state 6` and a line's end: what it is, and which version
    digest    32 bytes, SHA-256 of all that follows but the arrays
    length    8 bytes, little-endian: of the header
    header    JSON, UTF-8; its `digest` is the arrays' SHA-256, in hexadecimal
    bytes     of the caller, one after the other: the header says which, and how many
    arrays    float32, little-endian, one after the other, to the file's end: the header says which

So corruption is noticed, arrays need not be read, and no code is loaded, unlike with pickle. A
digest is no signature: readers check the header.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import StateError
from darknet_py.untrusted import BadValueError, open_file, parse_json

MAGIC = b"darknet state 6\n"
MAX_HEADER = 16 << 20
"""Bytes: a network of a hundred thousand parameters needs a quarter of it."""
_LENGTH = struct.Struct("<Q")
_FLOAT = np.dtype("<f4")


class StateReader:
    """A state's file, read once from start to end. Raises BadValueError where it is corrupt:
    `check` verifies header and bytes, `end` the arrays."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._found = hashlib.sha256()
        self.left = os.fstat(file.fileno()).st_size
        """Bytes that were not read yet."""
        self.is_state = self.read(len(MAGIC)) == MAGIC
        if not self.is_state:
            return
        self._digest = self.read(self._found.digest_size)
        self._found = hashlib.sha256()
        (length,) = _LENGTH.unpack(self.read(_LENGTH.size))
        if length > MAX_HEADER:
            raise BadValueError(f"its header has {length:,} bytes: expected at most {MAX_HEADER:,}")
        self.header: Any = parse_json(self.read(length))

    def check(self) -> None:
        """Verifies header and bytes. To be called before arrays are read."""
        if self._found.digest() != self._digest:
            raise BadValueError("its content is not what its digest says")
        self._found = hashlib.sha256()

    def array(self, shape: tuple[int, ...]) -> np.ndarray:
        """The next float32 array."""
        if _FLOAT.itemsize * math.prod(shape) > self.left:
            raise BadValueError("it ends early")
        array = np.empty(shape, _FLOAT)
        self._fill(array.reshape(-1).data.cast("B"))
        return array.astype(np.float32, copy=False)

    def end(self) -> None:
        """Verifies the arrays, and that nothing follows them."""
        if self.left or self._file.read(1):
            raise BadValueError("there is more in it than its header says")
        if self._found.hexdigest() != self.header["digest"]:
            raise BadValueError("its arrays are not what their digest says")

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if size > self.left:
            raise BadValueError("it ends early")
        data = bytearray(size)
        self._fill(memoryview(data))
        return bytes(data)

    def _fill(self, room: memoryview) -> None:
        if len(room) > self.left or self._file.readinto(room) < len(room):
            raise BadValueError("it ends early")
        self._found.update(room)
        self.left -= len(room)


@contextmanager
def reading_state(path: str | Path) -> Iterator[StateReader]:
    """A state's file whose header has been read. Raises StateError, also for a BadValueError or an
    OSError within the block."""
    try:
        with open_file(path) as file:
            reader = StateReader(file)
            if not reader.is_state:
                raise StateError(
                    f"{path}: is no training state of this version (weights are given without "
                    "--resume)"
                )
            yield reader
    except FileNotFoundError as error:
        raise StateError(
            f"{path}: no such file: there is nothing to resume: leave out --resume"
        ) from error
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror or error}") from error
    except BadValueError as error:
        raise StateError(f"{path}: is damaged: {error}") from error


def write_state(
    path: str | Path,
    header: dict[str, Any],
    more: Iterable[bytes],
    arrays: Iterable[np.ndarray],
) -> None:
    """Writes a header, with `digest` added, and what follows it, whole or not at all. Raises
    StateError."""
    values = [np.ascontiguousarray(each, _FLOAT).reshape(-1).data.cast("B") for each in arrays]
    try:
        text = json.dumps(
            {**header, "digest": _sha256(values).hexdigest()}, allow_nan=False
        ).encode()
    except ValueError as error:
        raise StateError(f"{path}: is not written: a number in it is not finite") from error
    if len(text) > MAX_HEADER:
        raise StateError(f"{path}: is not written: its header would have {len(text):,} bytes")
    front = [_LENGTH.pack(len(text)), text, *more]
    try:
        with atomic_file(path) as file:
            for part in (MAGIC, _sha256(front).digest(), *front, *values):
                file.write(part)
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {error.strerror or error}") from error


def _sha256(parts: Iterable[bytes | memoryview]) -> Any:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found
