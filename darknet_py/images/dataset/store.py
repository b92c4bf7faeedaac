"""Decoded pictures, kept for the next epoch as far as memory allows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy.typing as npt

from darknet_py.images.io.image import load_pixels


class Store:
    """The pictures of a dataset by index; decoded once, if they fit in `memory` bytes.

    The first pictures asked for stay, and none makes room for another: an epoch asks for each
    once, so that the last one used would be the last one needed. Threads may ask at once.
    """

    def __init__(self, paths: Sequence[Path], memory: int | None = None) -> None:
        self._paths = paths
        self._free = default_memory() if memory is None else memory
        self._kept: dict[int, npt.NDArray[Any]] = {}
        self._lock = Lock()
        self._decoding: dict[int, Lock] = {}
        """Of each picture that a thread decodes now: who asks for it too, waits."""

    def get(self, index: int) -> npt.NDArray[Any]:
        """The picture, (h, w, 3), not to be changed: bytes or floats, see `load_pixels`.

        Raises PictureError, one line that begins with the path.
        """
        if index in self._kept:
            return self._kept[index]
        with self._lock:
            decoding = self._decoding.setdefault(index, Lock())
        with decoding:
            if index not in self._kept:
                picture = load_pixels(self._paths[index])
                with self._lock:
                    self._decoding.pop(index, None)
                    if picture.nbytes > self._free:
                        return picture
                    self._kept[index] = picture
                    self._free -= picture.nbytes
            return self._kept[index]


def default_memory() -> int:
    """1 GiB, or a quarter of the machine's memory where that is less; in bytes."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # No such call, or no such answer.
        return 1 << 30
    return min(1 << 30, machine // 4) if machine > 0 else 1 << 30
