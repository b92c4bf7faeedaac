"""The order of training's samples: each picture once an epoch, or all classes equally often."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.errors import DarknetError
from darknet_py.images.arrays import Array
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.transform.augment import Purpose, generator


class Turn(NamedTuple):
    """A sample: its epoch, its place in that epoch, its picture's index in the dataset."""

    epoch: int
    place: int
    picture: int


class Order:
    """An endless sequence of samples of `count` pictures: one permutation after the other, each
    depending on (seed, epoch) only; not shuffled, 0, 1, 2, ... each time. Thread-safe."""

    def __init__(self, count: int, seed: int, shuffle: bool) -> None:
        self._count = count
        self._seed = seed
        self._shuffle = shuffle
        # a batch may end one epoch and start the next, and batches are made ahead
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

    def _permute(self, epoch: int) -> Array:
        if not self._shuffle:
            return np.arange(self._count)
        return generator(Purpose.ORDER, self._seed, epoch).permutation(self._count)


class BalancedOrder:
    """An endless sequence of samples, as Order's, in which all classes come equally often.

    It consists of rounds that have every class once, in an order of their own; a class goes through
    its pictures in one permutation after the other. A sample depends on the seed and its number
    only. An epoch has as many samples as there are pictures, but not each once. Thread-safe.
    """

    def __init__(self, labels: Sequence[int], seed: int) -> None:
        """labels: the class of each picture; classes without pictures have no turns."""
        self._count = len(labels)
        self._seed = seed
        classes = sorted(set(labels))
        self._pictures = [np.flatnonzero(np.array(labels) == label) for label in classes]
        # a batch may end one pass through a class and start the next, and batches are made ahead
        self._permutation = lru_cache(maxsize=3 * len(classes))(self._permute)
        self._round = lru_cache(maxsize=64)(self._order)

    def turns(self, start: int, stop: int) -> list[Turn]:
        """Turns number `start` to `stop` - 1 of the row, from 0."""
        return [self._turn(number) for number in range(start, stop)]

    def _turn(self, number: int) -> Turn:
        round_, place = divmod(number, len(self._pictures))
        which = int(self._round(round_)[place])
        passed, at = divmod(round_, len(self._pictures[which]))
        return Turn(*divmod(number, self._count), int(self._permutation(which, passed)[at]))

    def _order(self, round_: int) -> npt.NDArray[np.int64]:
        """The classes of a round."""
        rng = generator(Purpose.CLASSES, self._seed, round_)
        return rng.permutation(len(self._pictures))

    def _permute(self, which: int, passed: int) -> npt.NDArray[np.int64]:
        """A class's pictures in the order of this pass."""
        rng = generator(Purpose.ORDER, self._seed, passed, which)
        return rng.permutation(self._pictures[which])


def order_of(
    dataset: Dataset, seed: int, shuffle: bool = True, balance: bool = False
) -> Order | BalancedOrder:
    """The order of a dataset's pictures. Raises DarknetError where classes are to be balanced and a
    picture has not one."""
    if not balance:
        return Order(len(dataset), seed, shuffle)
    for path, labels in zip(dataset.paths, dataset.labels, strict=True):
        if len(labels) != 1:
            raise DarknetError(f"{path}: has {len(labels)} classes: expected one, to balance them")
    return BalancedOrder([label for (label,) in dataset.labels], seed)
