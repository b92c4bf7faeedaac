"""The order in which training sees pictures: each once an epoch, shuffled anew for each."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.seeds import Purpose, generator


class Turn(NamedTuple):
    """A picture's turn: its epoch, its place in that epoch, its index in the dataset."""

    epoch: int
    place: int
    picture: int


class Order:
    """An endless row of turns over `count` pictures: one permutation after the other.

    The permutation of an epoch depends on (seed, epoch) only; not shuffled, it is 0, 1, 2, ...
    each time. Threads may ask at once.
    """

    def __init__(self, count: int, seed: int, shuffle: bool) -> None:
        self._count = count
        self._seed = seed
        self._shuffle = shuffle
        # a batch may end one epoch and begin the next, and batches are made ahead
        self._permutation = lru_cache(maxsize=3)(self._permute)

    def turns(self, start: int, stop: int) -> list[Turn]:
        """Turns number `start` to `stop` - 1 of the row, from 0."""
        turns = []
        while start < stop:
            epoch, first = divmod(start, self._count)
            last = min(first + stop - start, self._count)
            pictures = self._permutation(epoch)[first:last].tolist()
            turns += [Turn(epoch, first + i, picture) for i, picture in enumerate(pictures)]
            start += last - first
        return turns

    def _permute(self, epoch: int) -> npt.NDArray[Any]:
        if not self._shuffle:
            return np.arange(self._count)
        return generator(Purpose.ORDER, self._seed, epoch).permutation(self._count)
