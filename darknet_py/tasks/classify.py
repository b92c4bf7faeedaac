"""Pictures in, the most probable classes out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from darknet_py.errors import PictureError, ShapeError
from darknet_py.network import Network
from darknet_py.tasks.names import choose_names
from darknet_py.tasks.pictures import load_picture


class Prediction(NamedTuple):
    """One class of a picture: its number, its name, its probability from 0 to 1."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    name: str
    probability: float


@dataclass(frozen=True)
class Classified:
    """What the network sees in one picture, the most probable first."""

    path: Path
    predictions: list[Prediction]
    seconds: float
    """In the network; of a batch, this picture's share."""


@dataclass(frozen=True)
class Refused:
    """A picture that could not be classified."""

    path: Path
    error: PictureError


def classify(
    net: Network,
    pictures: Iterable[str | os.PathLike[str]],
    top: int = 5,
    names: str | Path | Sequence[str] | None = None,
    fit: str | None = None,
    batch: int = 1,
) -> list[list[Prediction]]:
    """The `top` most probable classes of each picture, as (index, name, probability).

    names: a list, a file, or None for the shipped ones (ImageNet's for 1000 outputs, else the
    numbers). fit: "min", "letterbox", "crop", or None: "min" where the network can grow with the
    picture, else "crop". Raises PictureError for the first picture that cannot be read.
    """
    results = []
    for result in classify_pictures(net, pictures, top, names, fit, batch):
        if isinstance(result, Refused):
            raise result.error
        results.append(result.predictions)
    return results


def classify_pictures(
    net: Network,
    pictures: Iterable[str | os.PathLike[str]],
    top: int = 5,
    names: str | Path | Sequence[str] | None = None,
    fit: str | None = None,
    batch: int = 1,
) -> Iterator[Classified | Refused]:
    """Yields the result of each picture, in order; a bad one does not stop the others.

    Up to `batch` neighbours that are fitted to one size go through the network together.
    """
    names = choose_names(names, net.outputs, net.path)
    fit = fit or best_fit(net)
    waiting: list[tuple[Path, np.ndarray]] = []
    for path in map(Path, pictures):
        try:
            picture = load_picture(net, path, fit).x
        except PictureError as error:
            yield from _predict(net, waiting, top, names)
            waiting = []
            yield Refused(path, error)
            continue
        if waiting and waiting[0][1].shape != picture.shape:
            yield from _predict(net, waiting, top, names)
            waiting = []
        waiting.append((path, picture))
        if len(waiting) >= batch:
            yield from _predict(net, waiting, top, names)
            waiting = []
    yield from _predict(net, waiting, top, names)


def best_fit(net: Network) -> str:
    """ "min" where the network can grow with the picture, else "crop"."""
    h, w, _ = net.in_shape
    try:
        net.resized(w=2 * w, h=2 * h)
    except ShapeError:
        return "crop"
    return "min"


def _predict(
    net: Network, pictures: list[tuple[Path, np.ndarray]], top: int, names: list[str]
) -> Iterator[Classified]:
    if not pictures:
        return
    start = time.perf_counter()
    probabilities = net.predict(np.stack([picture for _, picture in pictures]))
    seconds = (time.perf_counter() - start) / len(pictures)
    for (path, _), row in zip(pictures, probabilities, strict=True):
        best = np.argsort(-row, kind="stable")[:top].tolist()
        predictions = [Prediction(index, names[index], float(row[index])) for index in best]
        yield Classified(path, predictions, seconds)
