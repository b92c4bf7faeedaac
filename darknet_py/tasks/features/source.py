"""Batches of features, where a loader gives batches of pictures."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import numpy as np

from darknet_py.errors import PictureError
from darknet_py.images import BalancedOrder, Batch, Dataset, Order
from darknet_py.network import Network
from darknet_py.tasks.features.cache import Features
from darknet_py.tasks.targets import probabilities_of


class FeatureSource:
    """The batches of a dataset's features, endless, each a pure function of its number: pictures
    come in `order`, and in each epoch the next of their views. See images.Loader."""

    waited = 0.0

    def __init__(
        self, dataset: Dataset, features: Features, batch: int, order: Order | BalancedOrder
    ) -> None:
        self._dataset = dataset
        self._features = features
        self._batch = batch
        self._order = order
        self._truths = np.stack([dataset.truth(index) for index in range(len(dataset))])

    def batches(self, start: int = 0) -> Generator[Batch]:
        """Features (n, *shape) and truths (n, classes)."""
        array, rows = self._features.array, self._features.rows
        views = array.shape[1]
        for number in count(start):
            turns = self._order.turns(number * self._batch, (number + 1) * self._batch)
            pictures = [turn.picture for turn in turns]
            x = array[rows[pictures], [turn.epoch % views for turn in turns]]
            yield x, self._truths[pictures]

    def untold(self) -> list[PictureError]:
        """Nothing: what is read are features."""
        return []

    def paths(self, number: int) -> list[Path]:
        """The pictures of batch `number`."""
        turns = self._order.turns(number * self._batch, (number + 1) * self._batch)
        return [self._dataset.paths[turn.picture] for turn in turns]


def predictions_of(net: Network, features: Features, batch: int = 256) -> Iterator[np.ndarray]:
    """What a network that takes features says of each picture's first view: (n, classes)."""
    for start in range(0, len(features.rows), batch):
        x = features.array[features.rows[start : start + batch], 0]
        yield probabilities_of(net.predict(x))
