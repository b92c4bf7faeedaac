"""The mean and the standard deviation of pictures, a channel each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import (
    find_lists,
    find_pictures,
    fit_image,
    has_folders,
    in_threads,
    load_image,
    to_channels,
)
from darknet_py.tasks.data import open_data

_PIXELS = 1 << 16
"""Pixels that are added up together: more would take memory for no gain."""


@dataclass(frozen=True)
class Progressed:
    """So many pictures are done; `refused` says why the last one could not be read."""

    done: int
    refused: PictureError | None


@dataclass(frozen=True)
class Statistics:
    """Over all pixels of so many pictures: of each channel, 0..1, mean and standard deviation (of
    the pixels themselves, not an estimate: divided by their number)."""

    pictures: int
    refused: int
    pixels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def pictures_to_measure(path: str | Path, labels: str = "exact") -> list[Path]:
    """What is trained on, where DATA says so, else all pictures; a folder may hold them itself.

    Raises DarknetError.
    """
    folder = Path(path)
    if os.path.isdir(folder) and not any(find_lists(folder)) and not has_folders(folder):
        return find_pictures([folder])
    return open_data(path, labels, share=0).training().paths


def measure(
    paths: Sequence[Path], size: int | None = None, channels: int = 3, workers: int | None = None
) -> Iterator[Progressed | Statistics]:
    """Reads every picture; the last event is the Statistics.

    size: pictures are brought to size x size first, as `classify --fit crop` sees them, so that
    each weighs the same; else each pixel does. channels: 3, or 1 for grey. Pictures that cannot be
    read are refused and left out. The sums do not depend on `workers`, the number of threads.
    Raises DarknetError where no picture can be read.
    """
    count, refused = 0, 0
    sums, squares = np.zeros(channels), np.zeros(channels)
    looks = in_threads(lambda path: _look(path, size, channels), paths, workers)
    for done, found in enumerate(looks, 1):
        if isinstance(found, PictureError):
            refused += 1
            yield Progressed(done, found)
        else:
            count += found[0]
            sums += found[1]
            squares += found[2]
            yield Progressed(done, None)
    if not count:
        raise DarknetError("none of the pictures can be read: there is nothing to measure")
    mean = sums / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    numbers = tuple(mean.tolist()), tuple(deviation.tolist())
    yield Statistics(len(paths) - refused, refused, count, *numbers)


def _look(
    path: Path, size: int | None, channels: int
) -> tuple[int, np.ndarray, np.ndarray] | PictureError:
    """How many pixels, their sums and the sums of their squares, by channel."""
    try:
        image = load_image(path)
    except PictureError as error:
        return error
    if size is not None:
        image = fit_image(image, size, size, "crop")
    pixels = to_channels(image, channels).reshape(-1, channels)
    sums, squares = np.zeros(channels), np.zeros(channels)
    for start in range(0, len(pixels), _PIXELS):
        part = pixels[start : start + _PIXELS].astype(np.float64)
        sums += part.sum(axis=0)
        squares += (part * part).sum(axis=0)
    return len(pixels), sums, squares
