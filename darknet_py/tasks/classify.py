"""Pictures in, the most probable classes out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from darknet_py.errors import DarknetError, PictureError, ShapeError
from darknet_py.images import Given
from darknet_py.network import Network, check_network
from darknet_py.ops import device_name, notices
from darknet_py.options import Whole, Word, read_argument
from darknet_py.tasks.names import choose_names
from darknet_py.tasks.pictures import load_ahead, load_input
from darknet_py.tasks.targets import check_answer, class_count, class_probabilities

_BATCH, _BATCH_GPU = 8, 32
FITS = Word(("min", "letterbox", "crop"))


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
    """In the network, without compiling its kernels; of a batch, this picture's share."""


@dataclass(frozen=True)
class Refused:
    """A picture that could not be classified: it cannot be read, or the answer is no number."""

    path: Path
    error: DarknetError


def classify(
    net: Network,
    pictures: Given | Iterable[Given],
    top: int = 5,
    names: str | Path | Sequence[str] | None = None,
    fit: str | None = None,
    batch: int | None = None,
) -> list[list[Prediction]]:
    """The `top` most probable classes of each picture, as (index, name, probability).

    pictures: one, or several: names of files, Pillow pictures, or arrays (h, w, 3) of RGB, (h, w)
    of grey, uint8 or floats from 0 to 1, or (n, h, w, 3). The result has a list for each picture,
    for a single one too. names: a list, a file, or None: NAME.names beside NAME.cfg or the weights,
    ImageNet's for 1000 outputs, else the numbers. One sigmoid output p means two classes: 1 - p, p.
    fit: "min", "letterbox", "crop", or None: "min" where the network can grow with the picture,
    else "crop". Raises PictureError for the first picture that cannot be read, NotFiniteError for
    the first whose answer is NaN.
    """
    results = []
    for result in classify_pictures(net, pictures, top, names, fit, batch):
        if isinstance(result, Refused):
            raise result.error
        results.append(result.predictions)
    return results


def classify_pictures(
    net: Network,
    pictures: Given | Iterable[Given],
    top: int = 5,
    names: str | Path | Sequence[str] | None = None,
    fit: str | None = None,
    batch: int | None = None,
) -> Iterator[Classified | Refused]:
    """Yields the result of each picture, in order; a bad one does not stop the others.

    Up to `batch` neighbours that are fitted to one size go through the network together; None: 8,
    on a GPU 32. In another batch an answer may round differently, by some 1e-7.
    """
    check_network(net)
    top = read_argument("top", top, Whole(1))
    batch = read_argument("batch", batch, Whole(1), or_none=True)
    fit = read_argument("fit", fit, FITS, or_none=True)
    batch = batch or (_BATCH if device_name(net.ops) == "cpu" else _BATCH_GPU)
    names = choose_names(names, class_count(net), net)
    fit = fit or best_fit(net)
    waiting: list[tuple[Path, np.ndarray]] = []
    loaded = load_ahead(pictures, lambda given, number: load_input(net, given, fit, number))
    for path, picture in loaded:
        is_other = isinstance(picture, PictureError) or (
            waiting and waiting[0][1].shape != picture.shape
        )
        if is_other or len(waiting) >= batch:
            yield from _predict(net, waiting, top, names)
            waiting = []
        if isinstance(picture, PictureError):
            yield Refused(path, picture)
        else:
            waiting.append((path, picture))
            if isinstance(pictures, Iterator):  # whoever names them one by one waits for each
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
) -> Iterator[Classified | Refused]:
    if not pictures:
        return
    x = np.stack([picture for _, picture in pictures])
    start = time.perf_counter() - notices.seconds_compiling()
    probabilities = class_probabilities(net, x)
    seconds = (time.perf_counter() - notices.seconds_compiling() - start) / len(pictures)
    for (path, picture), row in zip(pictures, probabilities, strict=True):
        try:
            check_answer(net, path, picture[None], row)
        except DarknetError as error:
            yield Refused(path, error)
            continue
        best = np.argsort(-row, kind="stable")[:top].tolist()
        predictions = [Prediction(index, names[index], float(row[index])) for index in best]
        yield Classified(path, predictions, seconds)
