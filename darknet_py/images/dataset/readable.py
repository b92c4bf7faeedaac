"""Which pictures of a dataset can be read; decoded ones kept; others for those that cannot."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

from PIL import Image

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images.arrays import Array
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.dataset.sampler import Turn
from darknet_py.images.io.decode import (
    FORMATS,
    PILLOW_FAULTS,
    check_size,
    has_bytes,
    is_read,
    lacks_palette,
    quiet,
)
from darknet_py.images.io.image import load_pixels
from darknet_py.images.transform.augment import Purpose, generator
from darknet_py.ops.cpu.runtime.threads import thread_count
from darknet_py.ops.memory import physical_memory

T = TypeVar("T")
R = TypeVar("R")

_TASK = 16
"""Pictures that a thread checks in one call."""
_AHEAD = 4
"""Calls that wait for each thread, or for whoever takes their results."""


def in_threads(
    function: Callable[[T], R], items: Iterable[T], workers: int | None = None
) -> Generator[R]:
    """function(item) of each item, in order, computed ahead by threads: decoding releases the GIL.

    `workers`: threads, by default one a core. Calls that have not begun are dropped when the
    iterator is closed or a call raises.
    """
    workers = workers or thread_count()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="darknet-pictures")
    waiting: deque[Future[R]] = deque()
    coming = iter(items)
    try:
        waiting.extend(pool.submit(function, item) for item in islice(coming, _AHEAD * workers))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(coming, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


class Refusal(NamedTuple):
    """A picture that cannot be read: its index in the dataset, and why (begins with its path)."""

    picture: int
    error: PictureError


def scan(
    dataset: Dataset,
    decode: bool = True,
    workers: int | None = None,
    show: Callable[[int], object] = lambda _done: None,
) -> list[Refusal]:
    """The pictures that cannot be read, in the dataset's order.

    Decodes each, which finds truncated files; without `decode` only headers are read. `workers`:
    threads, by default one a core. show: called now and then with the number of those done.
    """

    def check(first: int) -> list[Refusal]:
        some = enumerate(dataset.paths[first : first + _TASK], first)
        faults = ((index, _fault(path, decode)) for index, path in some)
        return [Refusal(index, error) for index, error in faults if error is not None]

    found = []
    starts = range(0, len(dataset), _TASK)
    for start, some in zip(starts, in_threads(check, starts, workers), strict=True):
        found += some
        show(min(start + _TASK, len(dataset)))
    return found


def _fault(path: Path, decode: bool) -> PictureError | None:
    if _opens(path, decode):
        return None
    try:
        load_pixels(path)
    except PictureError as error:
        return error
    return None


def _opens(path: Path, decode: bool) -> bool:
    """Whether Pillow reads it, all of it or its header; if not, `load_pixels` finds the fault, or
    none: it checks the values of 16-bit pictures, too.

    A JPEG is decoded at an eighth of its size, which reads all of the file in half the time or
    less.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with quiet(), open(path, "rb") as file, Image.open(file, formats=FORMATS) as picture:
            check_size(picture.width, picture.height)
            if not decode:
                return is_read(picture.mode)
            if not has_bytes(picture.mode):
                return False
            picture.draft(None, (max(picture.width // 8, 1), max(picture.height // 8, 1)))
            picture.load()
            return has_bytes(picture.mode) and not lacks_palette(picture)
    except (*PILLOW_FAULTS, Image.DecompressionBombError, MemoryError, PictureError):
        return False


class Store:
    """A thread-safe cache of a dataset's decoded pictures, of `memory` bytes.

    Nothing is evicted: an epoch reads each picture once, so that the least recently used would be
    the next one needed.
    """

    def __init__(self, paths: Sequence[Path], memory: int | None = None) -> None:
        self._paths = paths
        self._free = default_memory() if memory is None else memory
        self._kept: dict[int, Array] = {}
        self._lock = Lock()
        self._decoding: dict[int, Lock] = {}
        """A lock for each picture that is being decoded, so that no other thread does it too."""

    def get(self, index: int) -> Array:
        """The picture, (h, w, 3), read-only: bytes or floats; raises as `load_pixels`."""
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
    machine = physical_memory()
    return min(1 << 30, machine // 4) if machine else 1 << 30


def others(dataset: Dataset, seed: int, turn: Turn) -> Iterator[int]:
    """The pictures that may replace one, in order: those of its class, shuffled by the seed and the
    turn only, then all others; at last itself."""
    labels = dataset.labels
    rng = generator(Purpose.OTHER, seed, turn.epoch, turn.place)
    order = rng.permutation(len(labels)).tolist()
    yield from (index for index in order if labels[index] == labels[turn.picture])
    yield from (index for index in order if labels[index] != labels[turn.picture])
    yield turn.picture


def check_enough(refused: Mapping[int, PictureError], total: int) -> None:
    """Raises DarknetError where more of so many pictures cannot be read than can."""
    if 2 * len(refused) > total:
        first = next(iter(refused.values()))
        raise DarknetError(
            f"{len(refused)} of {total} pictures cannot be read: is a disk or a network folder "
            f"gone? {first}"
        )


class Readable:
    """The decoded pictures of a dataset, thread-safe. One that cannot be read, as it was deleted or
    damaged since it was checked, is not tried again. memory: see Store."""

    def __init__(self, dataset: Dataset, seed: int, memory: int | None = None) -> None:
        self.refused: dict[int, PictureError] = {}
        """By the picture's index, why it cannot be read."""
        self.store = Store(dataset.paths, memory)
        self._dataset = dataset
        self._seed = seed
        self._told = 0
        self._lock = Lock()

    def get(self, index: int) -> Array | None:
        """The picture, see Store.get; None for one that cannot be read."""
        if index in self.refused:
            return None
        try:
            return self.store.get(index)
        except PictureError as error:
            with self._lock:
                self.refused.setdefault(index, error)
            return None

    def get_or_other(self, turn: Turn) -> tuple[int, Array]:
        """A turn's picture, with its index; or one in its place, of its class where there is one,
        which depends only on the seed, the turn and what cannot be read, so that a resumed run has
        the same batches. Raises DarknetError where more pictures cannot be read than can."""
        picture = self.get(turn.picture)
        if picture is not None:
            return turn.picture, picture
        for index in others(self._dataset, self._seed, turn):
            check_enough(self.refused, len(self._dataset))
            picture = self.get(index)
            if picture is not None:
                return index, picture
        raise AssertionError("no picture is left, and half of them can be read")

    def untold(self) -> list[PictureError]:
        """The errors of pictures that turned out to be unreadable since the last call."""
        with self._lock:
            errors = list(self.refused.values())[self._told :]
            self._told += len(errors)
        return errors
