"""A picture of any size resized to a network's input: one function, used by all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from darknet_py.errors import PictureError
from darknet_py.images.arrays import Array, FileName, Floats
from darknet_py.images.io.decode import as_picture_errors
from darknet_py.images.io.image import about, load_pixels
from darknet_py.images.transform.resize import check_image, check_size, resize_image, resize_min

FITS = ("min", "letterbox", "crop")
"""The ways of fitting: the first lets the network grow, the other two give w x h."""

MAX_STRETCH = 16
"""With "min", how many times longer than its shorter side a picture may be: 1x5000 at 224 would
mean a network of 224x1120000."""

_BORDER = 0.5


def crop_image(image: Array, dx: int, dy: int, w: int, h: int) -> Floats:
    """The `w` x `h` pixels whose upper left one is (`dx`, `dy`), in pixels of the picture
    (in_h, in_w, c): a new float32 array (h, w, c). Places outside take the nearest pixel of its
    edge. Source: crop_image."""
    check_image(image)
    check_size(w, h)
    in_h, in_w = image.shape[:2]
    rows = np.clip(np.arange(dy, dy + h), 0, in_h - 1)
    columns = np.clip(np.arange(dx, dx + w), 0, in_w - 1)
    return image[rows[:, None], columns].astype(np.float32, copy=False)


def center_crop_image(image: Array, w: int, h: int) -> Floats:
    """The largest square in the middle of the picture (in_h, in_w, c), resized to a new float32
    array (h, w, c), squeezed where w and h differ. Source: center_crop_image."""
    check_image(image)
    in_h, in_w = image.shape[:2]
    side = min(in_h, in_w)
    top, left = (in_h - side) // 2, (in_w - side) // 2
    return resize_image(image[top : top + side, left : left + side], w, h)


def letterbox_image(image: Array, w: int, h: int) -> Floats:
    """The whole picture (in_h, in_w, c), as large as fits, in the middle of grey (0.5): a new
    float32 array (h, w, c). Sides are rounded down; a very narrow picture keeps one row or column.
    Source: letterbox_image."""
    check_image(image)
    check_size(w, h)
    new_w, new_h = inside(image.shape[1], image.shape[0], w, h)
    boxed = np.full((h, w, image.shape[2]), _BORDER, dtype=np.float32)
    left, top = (w - new_w) // 2, (h - new_h) // 2
    boxed[top : top + new_h, left : left + new_w] = resize_image(image, new_w, new_h)
    return boxed


def inside(in_w: int, in_h: int, w: int, h: int) -> tuple[int, int]:
    """The width and height of a picture of `in_w` x `in_h` pixels within a letterbox."""
    # In float32, as there, a near tie falls to the other side.
    if np.float32(w) / np.float32(in_w) < np.float32(h) / np.float32(in_h):
        return w, max(1, in_h * w // in_w)
    return max(1, in_w * h // in_h), h


def fit_image(image: Array, w: int, h: int, fit: str) -> Floats:
    """The picture fitted to a network of `w` x `h` pixels.

    `image`: shape (in_h, in_w, c). `fit`, one of FITS:

    - "min": the shorter side becomes `w` and the longer follows, so the result may be larger
      than (h, w) and the network has to grow. Source: resize_min(im, net->w).
    - "letterbox": the whole picture on grey, (h, w, c). Source: letterbox_image.
    - "crop": the middle square, (h, w, c). Source: center_crop_image.

    Returns a new float32 array. Raises PictureError, without a path, for a picture that "min"
    would make longer than MAX_STRETCH times `w`; ValueError for another `fit`.
    """
    check_image(image)
    check_size(w, h)
    if fit == "min":
        in_h, in_w = image.shape[:2]
        if max(in_w, in_h) > MAX_STRETCH * min(in_w, in_h):
            raise PictureError(f"{in_w}x{in_h} is too narrow for --fit min: use --fit letterbox")
        return resize_min(image, w)
    if fit == "letterbox":
        return letterbox_image(image, w, h)
    if fit == "crop":
        return center_crop_image(image, w, h)
    raise ValueError(f"fit {fit!r} is none of {', '.join(FITS)}")


def load_with_fitted(path: FileName, w: int, h: int, fit: str) -> tuple[Array, Floats]:
    """The picture in a file as it is, bytes or floats, and fitted by `fit_image`. Raises
    PictureError, one line that begins with the path, where either cannot."""
    pixels = load_pixels(path)
    with about(path), as_picture_errors():
        return pixels, fit_image(pixels, w, h, fit)


class Frame(NamedTuple):
    """Where the edges of a fitted picture lie on the original, in its pixels: outside of it where a
    letterbox has grey."""

    left: float
    top: float
    right: float
    bottom: float


def fitted_frame(in_w: int, in_h: int, w: int, h: int, fit: str) -> Frame:
    """What `fit_image` shows of a picture of `in_w` x `in_h` pixels."""
    if fit == "min":
        return Frame(0, 0, in_w, in_h)
    if fit == "letterbox":
        new_w, new_h = inside(in_w, in_h, w, h)
        across, down = in_w / new_w, in_h / new_h
        left, top = -((w - new_w) // 2) * across, -((h - new_h) // 2) * down
        return Frame(left, top, left + w * across, top + h * down)
    side = min(in_h, in_w)
    left, top = (in_w - side) // 2, (in_h - side) // 2
    return Frame(left, top, left + side, top + side)
