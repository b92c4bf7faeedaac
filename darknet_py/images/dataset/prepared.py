"""Pictures resized once, before training, with an antialiasing filter.

Training itself resizes as the C program does, bilinear without antialiasing: a photo at a quarter
of its size or less is aliased then.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images.arrays import FileName, Floats
from darknet_py.images.io.image import load_image, to_float, to_pixels
from darknet_py.images.transform.fit import inside

PREPARED_FITS = ("crop", "letterbox", "squash")
"""The ways of making a picture square: its middle, all of it on grey, all of it, distorted."""

_FILTER = Image.Resampling.LANCZOS
_GREY = (128, 128, 128)


def load_prepared(path: FileName, size: int, fit: str) -> Floats:
    """The picture in a file, (size, size, 3), 0..1, in steps of 1/255. fit: one of PREPARED_FITS.

    "crop" brings the shorter side to `size`. Raises PictureError as `load_image`.
    """
    picture = Image.fromarray(to_pixels(load_image(path)))
    return to_float(np.asarray(_fitted(picture, size, fit)))


def is_prepared(path: FileName, size: int) -> bool:
    """Whether a whole picture of size x size pixels is there."""
    try:
        return load_image(path).shape[:2] == (size, size)
    except PictureError:
        return False


def _fitted(picture: Image.Image, size: int, fit: str) -> Image.Image:
    w, h = picture.size
    if fit == "crop":
        side = min(w, h)
        left, top = (w - side) / 2, (h - side) / 2
        return picture.resize((size, size), _FILTER, box=(left, top, left + side, top + side))
    if fit == "squash":
        return picture.resize((size, size), _FILTER)
    if fit == "letterbox":
        new_w, new_h = inside(w, h, size, size)
        boxed = Image.new("RGB", (size, size), _GREY)
        whole = picture.resize((new_w, new_h), _FILTER)
        boxed.paste(whole, ((size - new_w) // 2, (size - new_h) // 2))
        return boxed
    raise ValueError(f"fit {fit!r} is none of {', '.join(PREPARED_FITS)}")
