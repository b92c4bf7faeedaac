"""Which way up a camera held the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from darknet_py.images.io.faults import PILLOW_FAULTS

_EXIF_ORIENTATION = 0x0112


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation of a loaded picture, 1..8; 1 (upright) where none can be read.

    A damaged note about the picture does not make the picture unreadable, but may make Pillow
    warn: call this inside `quiet`.
    """
    try:
        value = picture.getexif().get(_EXIF_ORIENTATION)
    except PILLOW_FAULTS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def orient(image: npt.NDArray[Any], turn: int) -> npt.NDArray[Any]:
    """The upright picture from its stored (h, w, c) array and its EXIF orientation `turn`.

    5 to 8 exchange width and height. C-contiguous; a new array unless `turn` is 1. Source:
    EXIF 2.3, tag 274; the C program ignores it.
    """
    if turn in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        image = image[:, ::-1]
    if turn in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
