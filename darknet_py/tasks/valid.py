"""How well a network knows a set of labelled pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from darknet_py.errors import DarknetError, PictureError
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

_Predicted = tuple[np.ndarray, np.ndarray]
"""Indices of pictures in the set, (n,), and what the network says of each, (n, classes)."""


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
    probability; mistakes: the wrong guesses that were surest, as many as were asked for; refused:
    why pictures could not be read, which count nowhere; not_finite: pictures of which the outputs
    are not all numbers, which is no guess: they count as pictures, and the loss is NaN.
    """

    names: tuple[str, ...]
    confusion: np.ndarray
    top: int
    top_hits: int
    loss: float
    mistakes: tuple[Mistake, ...] = ()
    refused: tuple[PictureError, ...] = ()
    not_finite: tuple[Path, ...] = ()

    @property
    def pictures(self) -> int:
        return int(self.confusion.sum()) + len(self.not_finite)

    @property
    def top1(self) -> float:
        """Share of first guesses that are right, from 0 to 1."""
        return float(np.trace(self.confusion)) / max(self.pictures, 1)

    @property
    def recall(self) -> np.ndarray:
        """Share of each class's pictures that are taken for it, (classes,); NaN without any."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def precision(self) -> np.ndarray:
        """Share of the guesses of each class that are right, (classes,); NaN without any."""
        return _share(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of both, (classes,); NaN for a class that is neither there nor guessed."""
        seen = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return _share(2 * np.diag(self.confusion), seen)

    @property
    def topk(self) -> float:
        """Share of pictures whose class is among the first `top`."""
        return self.top_hits / max(self.pictures, 1)

    @property
    def top_says_more(self) -> bool:
        """Whether `topk` says something that top1 does not: of three classes, one is always among
        the first three."""
        return 1 < self.top < len(self.names)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(part / whole)


def evaluate(
    net: Network,
    dataset: Dataset,
    top: int = 5,
    views: int = 1,
    batch: int | None = None,
    worst: int = 0,
) -> Evaluation:
    """Predicts every picture of a set. views: 1, the middle, or 10: corners, middle, mirrored.
    worst: mistakes to keep. Pictures that cannot be read are left out. Raises DarknetError where
    none can."""
    refused: dict[int, PictureError] = {}
    predictions = _predictions(net, dataset, views, batch or 64, refused)
    found = _tally(dataset, predictions, top, worst)
    errors = tuple(refused[index] for index in sorted(refused))
    if len(errors) == len(dataset):
        first = f": {errors[0]}" if errors else ""
        raise DarknetError(f"none of the pictures to validate with can be read{first}")
    return replace(found, refused=errors)


def tally(
    dataset: Dataset, predictions: Iterable[np.ndarray], top: int = 5, worst: int = 0
) -> Evaluation:
    """Counts what predictions, (n, classes) for run after run of the set's pictures, are worth."""
    return _tally(dataset, _numbered(predictions), top, worst)


def _numbered(predictions: Iterable[np.ndarray]) -> Iterator[_Predicted]:
    done = 0
    for probabilities in predictions:
        yield np.arange(done, done + len(probabilities)), probabilities
        done += len(probabilities)


def _tally(dataset: Dataset, predictions: Iterable[_Predicted], top: int, worst: int) -> Evaluation:
    classes = len(dataset.names)
    confusion = np.zeros((classes, classes), np.int64)
    hits, loss, done = 0, 0.0, 0
    mistakes: list[Mistake] = []
    not_finite: list[Path] = []
    labels = np.array([label for (label,) in dataset.labels])
    for indices, probabilities in predictions:
        done += len(indices)
        is_finite = np.isfinite(probabilities).all(axis=1)
        if not is_finite.all():
            not_finite += [dataset.paths[index] for index in indices[~is_finite].tolist()]
            indices, probabilities = indices[is_finite], probabilities[is_finite]
        truth = labels[indices]
        paths = [dataset.paths[index] for index in indices.tolist()]
        order = np.argsort(-probabilities, axis=1, kind="stable")
        np.add.at(confusion, (truth, order[:, 0]), 1)
        hits += int((order[:, :top] == truth[:, None]).any(axis=1).sum())
        own = probabilities[np.arange(len(truth)), truth].astype(np.float64)
        loss -= float(np.log(np.maximum(own, 1e-30)).sum())
        if worst:
            found = _mistakes(paths, truth, order[:, 0], probabilities)
            mistakes = sorted([*mistakes, *found], key=lambda each: -each.probability)[:worst]
    loss = math.nan if not_finite else loss / max(done, 1)
    return Evaluation(
        dataset.names,
        confusion,
        top,
        hits,
        loss,
        tuple(mistakes),
        not_finite=tuple(not_finite),
    )


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


def _predictions(
    net: Network, dataset: Dataset, views: int, batch: int, refused: dict[int, PictureError]
) -> Iterator[_Predicted]:
    """What the network says of each picture, in order, each once; `refused` gets the errors of
    those that cannot be read."""
    if views == 10:
        for index, path in enumerate(dataset.paths):
            try:
                x = _ten_views(net, path)
            except PictureError as error:
                refused[index] = error
                continue
            said = class_probabilities(net, x).mean(axis=0, keepdims=True)
            yield np.array([index]), said
        return
    h, w, c = net.in_shape
    loader = Loader(dataset, w, h, c, batch, None)
    for number, (x, _) in enumerate(loader.once()):
        indices = np.arange(number * batch, number * batch + len(x))
        if loader.refused:
            refused.update(loader.refused)
            is_there = np.array([index not in refused for index in indices.tolist()])
            indices, x = indices[is_there], x[is_there]
        if len(x):
            yield indices, class_probabilities(net, x)


def _ten_views(net: Network, path: Path) -> np.ndarray:
    """Corners and middle of a picture, and the same mirrored: (10, c, h, w)."""
    h, w, c = net.in_shape
    shift = w // 7  # 32 at 224, as in the C program
    picture = to_channels(resize_image(load_image(path), w + shift, h + shift), c)
    places = ((0, 0), (shift, 0), (0, shift), (shift, shift), (shift // 2, shift // 2))
    sides = (picture, flip_image(picture))
    views = [crop_image(side, dx, dy, w, h) for side in sides for dx, dy in places]
    return np.stack(views).transpose(0, 3, 1, 2)
