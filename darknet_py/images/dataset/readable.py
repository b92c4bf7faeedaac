"""The pictures of a set that can be read, and others for those that, while it is used, cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import numpy.typing as npt

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.dataset.order import Turn
from darknet_py.images.dataset.store import Store
from darknet_py.images.transform.seeds import Purpose, generator

_Picture = npt.NDArray[Any]


def others(dataset: Dataset, seed: int, turn: Turn) -> Iterator[int]:
    """The pictures that may take a turn, the likeliest first: those of its class in an order that
    depends on the seed and the turn only, then all others; at last, none being good, itself."""
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
    """The decoded pictures of a dataset. One that cannot be read, as it vanished or was cut short
    since it was checked, is noted, and not tried again. Threads may ask at once.

    memory: see Store.
    """

    def __init__(self, dataset: Dataset, seed: int, memory: int | None = None) -> None:
        self.refused: dict[int, PictureError] = {}
        """By the picture's index, why it cannot be read."""
        self.store = Store(dataset.paths, memory)
        self._dataset = dataset
        self._seed = seed
        self._told = 0
        self._lock = Lock()

    def get(self, index: int) -> _Picture | None:
        """The picture, see Store.get; None for one that cannot be read."""
        if index in self.refused:
            return None
        try:
            return self.store.get(index)
        except PictureError as error:
            with self._lock:
                self.refused.setdefault(index, error)
            return None

    def get_or_other(self, turn: Turn) -> tuple[int, _Picture]:
        """The picture whose turn it is, with its index; or one in its place, of its class where
        there is one.

        Which one depends on the seed, the turn and on what cannot be read only: batches of a run
        that goes on are those of one that never stopped. Raises DarknetError where more pictures
        than not cannot be read: what is left would be another set.
        """
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
        """Why pictures cannot be read, of those that came up since this was last asked."""
        with self._lock:
            errors = list(self.refused.values())[self._told :]
            self._told += len(errors)
        return errors
