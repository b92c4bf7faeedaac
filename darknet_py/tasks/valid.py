"""How well a network knows a set of labelled pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.images import (
    Dataset,
    Loader,
    crop_image,
    flip_image,
    load_image,
    resize_image,
    to_channels,
)
from darknet_py.network import Network
from darknet_py.tasks.targets import class_probabilities


@dataclass(frozen=True)
class Mistake:
    """A picture whose first guess is wrong; classes by number, probabilities 0..1 of the guess and
    of the true class."""

    path: Path
    truth: int
    guess: int
    probability: float
    own: float


@dataclass(frozen=True)
class Evaluation:
    """What a validation found.

    confusion: (classes, classes), row the true class, column the first guess; top_hits: how many
    pictures had their class among the first `top`; loss: mean of -log of the true class's
    probability; mistakes: the wrong guesses that were surest, as many as were asked for.
    """

    names: tuple[str, ...]
    confusion: np.ndarray
    top: int
    top_hits: int
    loss: float
    mistakes: tuple[Mistake, ...] = ()

    @property
    def pictures(self) -> int:
        return int(self.confusion.sum())

    @property
    def top1(self) -> float:
        """Share of first guesses that are right, from 0 to 1."""
        return float(np.trace(self.confusion)) / max(self.pictures, 1)

    @property
    def topk(self) -> float:
        """Share of pictures whose class is among the first `top`."""
        return self.top_hits / max(self.pictures, 1)


def evaluate(
    net: Network,
    dataset: Dataset,
    top: int = 5,
    views: int = 1,
    batch: int | None = None,
    worst: int = 0,
) -> Evaluation:
    """Predicts every picture of a set. views: 1, the middle, or 10: corners, middle, mirrored.
    worst: mistakes to keep."""
    return tally(dataset, _predictions(net, dataset, views, batch or 64), top, worst)


def tally(
    dataset: Dataset, predictions: Iterable[np.ndarray], top: int = 5, worst: int = 0
) -> Evaluation:
    """Counts what predictions, (n, classes) for run after run of the set's pictures, are worth."""
    classes = len(dataset.names)
    confusion = np.zeros((classes, classes), np.int64)
    hits, loss = 0, 0.0
    mistakes: list[Mistake] = []
    labels = np.array([label for (label,) in dataset.labels])
    done = 0
    for probabilities in predictions:
        truth = labels[done : done + len(probabilities)]
        paths = dataset.paths[done : done + len(probabilities)]
        done += len(probabilities)
        order = np.argsort(-probabilities, axis=1, kind="stable")
        np.add.at(confusion, (truth, order[:, 0]), 1)
        hits += int((order[:, :top] == truth[:, None]).any(axis=1).sum())
        own = probabilities[np.arange(len(truth)), truth].astype(np.float64)
        loss -= float(np.log(np.maximum(own, 1e-30)).sum())
        if worst:
            found = _mistakes(paths, truth, order[:, 0], probabilities)
            mistakes = sorted([*mistakes, *found], key=lambda each: -each.probability)[:worst]
    loss /= max(done, 1)
    return Evaluation(dataset.names, confusion, top, hits, loss, tuple(mistakes))


def _mistakes(
    paths: Sequence[Path], truth: np.ndarray, guess: np.ndarray, probabilities: np.ndarray
) -> list[Mistake]:
    return [
        Mistake(
            Path(paths[i]),
            int(truth[i]),
            int(guess[i]),
            float(probabilities[i, guess[i]]),
            float(probabilities[i, truth[i]]),
        )
        for i in np.flatnonzero(truth != guess).tolist()
    ]


def _predictions(net: Network, dataset: Dataset, views: int, batch: int) -> Iterator[np.ndarray]:
    """(n, classes) for each run of pictures, in order, each picture once."""
    if views == 10:
        for path in dataset.paths:
            yield class_probabilities(net, _ten_views(net, path)).mean(axis=0, keepdims=True)
        return
    h, w, c = net.in_shape
    for x, _ in Loader(dataset, w, h, c, batch, None).once():
        yield class_probabilities(net, x)


def _ten_views(net: Network, path: Path) -> np.ndarray:
    """Corners and middle of a picture, and the same mirrored: (10, c, h, w)."""
    h, w, c = net.in_shape
    shift = w // 7  # 32 at 224, as in the C program
    picture = to_channels(resize_image(load_image(path), w + shift, h + shift), c)
    places = ((0, 0), (shift, 0), (0, shift), (shift, shift), (shift // 2, shift // 2))
    sides = (picture, flip_image(picture))
    views = [crop_image(side, dx, dy, w, h) for side in sides for dx, dy in places]
    return np.stack(views).transpose(0, 3, 1, 2)
