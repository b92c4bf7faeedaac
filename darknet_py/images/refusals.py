"""Which pictures of a dataset cannot be read, and why: asked before training starts."""

from __future__ import annotations

import os
import stat
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images.dataset import Dataset
from darknet_py.images.decode import FORMATS, MAX_PIXELS
from darknet_py.images.faults import PILLOW_FAULTS
from darknet_py.images.image import load_pixels
from darknet_py.images.quiet import quiet
from darknet_py.images.threads import in_threads

_TASK = 64
"""Pictures that a thread looks at in one go."""


class Refusal(NamedTuple):
    """A picture that cannot be read: its index in the dataset, and why (begins with its path)."""

    picture: int
    error: PictureError


def scan(dataset: Dataset, decode: bool = False, workers: int | None = None) -> list[Refusal]:
    """The pictures that cannot be read, in the dataset's order.

    Opens each and reads its header; with `decode` all of it, which finds files that are cut
    short, too, and takes as long as the first epoch's reading. `workers`: threads, by default one
    a core.
    """

    def check(first: int) -> list[Refusal]:
        some = enumerate(dataset.paths[first : first + _TASK], first)
        faults = ((index, _fault(path, decode)) for index, path in some)
        return [Refusal(index, error) for index, error in faults if error is not None]

    return list(chain.from_iterable(in_threads(check, range(0, len(dataset), _TASK), workers)))


def _fault(path: Path, decode: bool) -> PictureError | None:
    if not decode and _opens(path):
        return None
    try:
        load_pixels(path)
    except PictureError as error:
        return error
    return None


def _opens(path: Path) -> bool:
    """Whether the header is a picture's; if not, `load_pixels` knows what is wrong."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with quiet(), open(path, "rb") as file, Image.open(file, formats=FORMATS) as picture:
            return picture.width * picture.height <= MAX_PIXELS
    except (*PILLOW_FAULTS, Image.DecompressionBombError, MemoryError):
        return False
