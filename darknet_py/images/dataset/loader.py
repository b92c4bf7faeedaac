"""Batches for the network: decoded, changed and put together by threads, ahead of it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Lock

import numpy as np

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.errors import DarknetError, PictureError
from darknet_py.images.arrays import Array, Doubles, Floats
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.dataset.readable import Readable
from darknet_py.images.dataset.sampler import Turn, order_of
from darknet_py.images.transform.augment import (
    Purpose,
    augment_image,
    generator,
    mix_batch,
    principal_components,
)
from darknet_py.images.transform.color import to_channels
from darknet_py.images.transform.fit import fit_image
from darknet_py.ops.cpu.runtime.threads import thread_count

Batch = tuple[Floats, Floats]
"""Pictures (n, c, h, w), float32, values 0..1, and their truth (n, classes)."""

_TASK = 16
"""Pictures that a thread makes in one call, at most: so few that all threads share one batch."""


class Loader:
    """The batches of a dataset, endless, each a pure function of the seed and its number.

    Batch `number`, from 0, holds samples number * batch and on of the endless sequence of epochs.
    What is drawn for a picture depends on the seed, the epoch and its place in it; so neither the
    number of threads nor where a run was interrupted makes a difference.

    `w`, `h`, `c`: the network's input. `augmentation`: None for the preprocessing of validation
    and `classify`: `fit_image(picture, w, h, "crop")`. `workers`: threads, by default one a core
    ($DARKNET_NUM_THREADS); `ahead`: batches that they prefetch. `memory`: bytes for decoded
    pictures, by default 1 GiB or a quarter of the machine's. `shuffle`: by default, where pictures
    are augmented. `balance`: see BalancedOrder. `part`: (r, n) gives part r of n equal ones of each
    batch alone; `workers` are then by default an n-th of the cores.

    Raises DarknetError for a dataset without pictures, or where classes are to be balanced and a
    picture has not one, and ShapeError for `c` other than 1 or 3.
    A picture that cannot be read is replaced by another in endless batches, see
    Readable.get_or_other, and in `once` by zeros. `refused` has them, `untold` the new ones. A
    DarknetError is raised where more cannot be read than can.
    """

    def __init__(
        self,
        dataset: Dataset,
        w: int,
        h: int,
        c: int,
        batch: int,
        augmentation: Augmentation | None,
        seed: int = 0,
        workers: int | None = None,
        ahead: int = 2,
        memory: int | None = None,
        shuffle: bool | None = None,
        balance: bool = False,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        _check(dataset, w, h, c, batch, workers, ahead)
        self.dataset = dataset
        self.batch_size = batch
        self.waited = 0.0
        """Seconds that the consumer of `batches` or `once` has waited, for the first one too."""
        self._shape = (c, h, w)
        self._augmentation = augmentation
        self._seed = seed
        self._workers = workers or max(1, thread_count() // part[1])
        self._ahead = ahead
        self._pictures = Readable(dataset, seed, memory)
        shuffled = augmentation is not None if shuffle is None else shuffle
        self._order = order_of(dataset, seed, shuffled, balance)
        size = batch // part[1]
        self._part = slice(part[0] * size, (part[0] + 1) * size) if part[1] > 1 else slice(None)
        self._components: Doubles | None = None
        self._components_lock = Lock()

    @property
    def refused(self) -> Mapping[int, PictureError]:
        """By their index in the dataset, the pictures that could not be read so far."""
        return self._pictures.refused

    def untold(self) -> list[PictureError]:
        """The errors since the last call."""
        return self._pictures.untold()

    def __len__(self) -> int:
        """Batches an epoch, the last one perhaps not full."""
        return math.ceil(len(self.dataset) / self.batch_size)

    def batch(self, number: int) -> Batch:
        """Batch `number`, made by this thread."""
        turns = self._made(self._turns(number))
        x, y = self._empty(len(turns))
        self._fill(x, y, turns)
        return self._finish(x, y, number)

    def batches(self, start: int = 0) -> Generator[Batch]:
        """Batch `start` and, without end, those after it. The threads start with the first `next`
        and end when the iterator is closed, garbage-collected or raises."""
        return self._stream((number, self._turns(number)) for number in count(start))

    def once(self) -> Generator[Batch]:
        """The batches of the first epoch, the last one cut short: each picture once, zeros for one
        that cannot be read."""
        total = len(self.dataset)
        starts = enumerate(range(0, total, self.batch_size))
        return self._stream(
            (
                (number, self._order.turns(start, min(start + self.batch_size, total)))
                for number, start in starts
            ),
            once=True,
        )

    def paths(self, number: int) -> list[Path]:
        """The pictures of batch `number`, in its order."""
        return [self.dataset.paths[turn.picture] for turn in self._turns(number)]

    @property
    def _mixes(self) -> bool:
        how = self._augmentation
        return how is not None and bool(how.mixup or how.cutmix)

    def _made(self, turns: list[Turn]) -> list[Turn]:
        """The samples of a batch to make: all of them where pictures are mixed with others."""
        return turns if self._mixes else turns[self._part]

    def _turns(self, number: int) -> list[Turn]:
        return self._order.turns(number * self.batch_size, (number + 1) * self.batch_size)

    def _stream(
        self, batches: Iterable[tuple[int, list[Turn]]], once: bool = False
    ) -> Generator[Batch]:
        waiting: deque[Future[Batch]] = deque()
        batches = ((number, self._made(turns)) for number, turns in batches)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="darknet-loader")
        try:
            for number, turns in batches:
                waiting.append(self._submit(pool, number, turns, once))
                if len(waiting) > self._ahead:
                    yield self._take(waiting.popleft())
            while waiting:
                yield self._take(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(
        self, pool: ThreadPoolExecutor, number: int, turns: list[Turn], once: bool
    ) -> Future[Batch]:
        x, y = self._empty(len(turns))
        some = min(_TASK, -(-len(turns) // self._workers))
        parts = [slice(first, first + some) for first in range(0, len(turns), some)]
        filled = [pool.submit(self._fill, x[part], y[part], turns[part], once) for part in parts]

        def finish() -> Batch:
            # the pool starts tasks in order, so that all of these are running already
            for part in filled:
                part.result()
            return self._finish(x, y, number)

        return pool.submit(finish)

    def _take(self, batch: Future[Batch]) -> Batch:
        start = time.perf_counter()
        try:
            return batch.result()
        finally:
            self.waited += time.perf_counter() - start

    def _empty(self, n: int) -> Batch:
        return (
            np.empty((n, *self._shape), np.float32),
            np.empty((n, self.dataset.classes), np.float32),
        )

    def _fill(self, x: Floats, y: Floats, turns: list[Turn], once: bool = False) -> None:
        for image, truth, turn in zip(x, y, turns, strict=True):
            index, picture = turn.picture, self._pictures.get(turn.picture)
            if picture is None and once:
                image[:], truth[:] = 0, 0
                continue
            if picture is None:
                index, picture = self._pictures.get_or_other(turn)
            self._make(image, turn, picture)
            truth[:] = self.dataset.truth(index)

    def _make(self, out: Floats, turn: Turn, picture: Array) -> None:
        """One picture, into `out` (c, h, w)."""
        c, h, w = self._shape
        if self._augmentation is None:
            fitted = fit_image(picture, w, h, "crop")
            out[:] = to_channels(fitted, c).transpose(2, 0, 1)
            return
        rng = generator(Purpose.PICTURE, self._seed, turn.epoch, turn.place)
        augment_image(picture, out, self._augmentation, rng, self._principal_components())

    def _principal_components(self) -> Doubles | None:
        """Computed for the first picture; None where they are not used."""
        if self._augmentation is None or not self._augmentation.pca:
            return None
        with self._components_lock:
            if self._components is None:
                self._components = principal_components(
                    self._pictures.get, len(self.dataset), self._seed
                )
            return self._components

    def _finish(self, x: Floats, y: Floats, number: int) -> Batch:
        if self._augmentation is not None:
            mix_batch(x, y, self._augmentation, generator(Purpose.MIX, self._seed, number))
        return (x[self._part], y[self._part]) if self._mixes else (x, y)


def _check(
    dataset: Dataset, w: int, h: int, c: int, batch: int, workers: int | None, ahead: int
) -> None:
    if not len(dataset):
        raise DarknetError("a dataset without pictures: nothing to load")
    if w < 1 or h < 1 or batch < 1 or ahead < 0 or (workers is not None and workers < 1):
        raise ValueError(
            f"a batch of {batch} pictures of {w}x{h}, {ahead} ahead, by {workers} threads cannot be"
        )
    to_channels(np.zeros((1, 1, 3), np.float32), c)
