"""The pictures of a set that can be read, and others for those that, while it is used, cannot."""

from __future__ import annotations

from itertools import chain
from threading import Lock
from typing import Any

import numpy.typing as npt

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images.dataset import Dataset
from darknet_py.images.order import Turn
from darknet_py.images.seeds import Purpose, generator
from darknet_py.images.store import Store

_Picture = npt.NDArray[Any]


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
        labels = self._dataset.labels
        rng = generator(Purpose.OTHER, self._seed, turn.epoch, turn.place)
        order = rng.permutation(len(labels)).tolist()
        same = (index for index in order if labels[index] == labels[turn.picture])
        others = (index for index in order if labels[index] != labels[turn.picture])
        for index in chain(same, others):
            if 2 * len(self.refused) > len(labels):
                break
            picture = self.get(index)
            if picture is not None:
                return index, picture
        raise self._too_few()

    def untold(self) -> list[PictureError]:
        """Why pictures cannot be read, of those that came up since this was last asked."""
        with self._lock:
            errors = list(self.refused.values())[self._told :]
            self._told += len(errors)
        return errors

    def _too_few(self) -> DarknetError:
        with self._lock:
            refused, first = len(self.refused), next(iter(self.refused.values()))
        return DarknetError(
            f"{refused} of {len(self._dataset)} pictures cannot be read any more: is a disk or a "
            f"network folder gone? {first}"
        )
