"""Which pictures of a dataset cannot be read, and why: asked before training starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.images.io.decode import FORMATS, check_size
from darknet_py.images.io.faults import PILLOW_FAULTS
from darknet_py.images.io.image import load_pixels
from darknet_py.images.io.modes import has_bytes, is_read, lacks_palette
from darknet_py.images.io.quiet import quiet
from darknet_py.images.io.threads import in_threads

_TASK = 16
"""Pictures that a thread looks at in one go."""


class Refusal(NamedTuple):
    """A picture that cannot be read: its index in the dataset, and why (begins with its path)."""

    picture: int
    error: PictureError


def scan(
    dataset: Dataset,
    decode: bool = True,
    workers: int | None = None,
    show: Callable[[int], object] = lambda _done: None,
) -> list[Refusal]:
    """The pictures that cannot be read, in the dataset's order.

    Decodes each, which finds files that are cut short; without `decode` the headers alone are read.
    `workers`: threads, by default one a core. show: told now and then how many are done.
    """

    def check(first: int) -> list[Refusal]:
        some = enumerate(dataset.paths[first : first + _TASK], first)
        faults = ((index, _fault(path, decode)) for index, path in some)
        return [Refusal(index, error) for index, error in faults if error is not None]

    found = []
    starts = range(0, len(dataset), _TASK)
    for start, some in zip(starts, in_threads(check, starts, workers), strict=True):
        found += some
        show(min(start + _TASK, len(dataset)))
    return found


def _fault(path: Path, decode: bool) -> PictureError | None:
    if _opens(path, decode):
        return None
    try:
        load_pixels(path)
    except PictureError as error:
        return error
    return None


def _opens(path: Path, decode: bool) -> bool:
    """Whether it is a picture, all of it or its header; if not, `load_pixels` knows what is wrong,
    or that nothing is: it looks at the values of 16-bit pictures, too.

    A JPEG is decoded at an eighth of its size, for which all of the file has to be read as well,
    in half the time or less.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with quiet(), open(path, "rb") as file, Image.open(file, formats=FORMATS) as picture:
            check_size(picture.width, picture.height)
            if not decode:
                return is_read(picture.mode)
            if not has_bytes(picture.mode):
                return False
            picture.draft(None, (max(picture.width // 8, 1), max(picture.height // 8, 1)))
            picture.load()
            return has_bytes(picture.mode) and not lacks_palette(picture)
    except (*PILLOW_FAULTS, Image.DecompressionBombError, MemoryError, PictureError):
        return False
