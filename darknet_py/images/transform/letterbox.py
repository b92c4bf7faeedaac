"""A whole picture inside a frame of another shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image, check_size
from darknet_py.images.transform.resize import resize_image

_BORDER = 0.5


def letterbox_image(image: npt.NDArray[Any], w: int, h: int) -> npt.NDArray[np.float32]:
    """The whole picture, as large as fits, in the middle of `w` x `h` pixels of grey (0.5).

    `image`: shape (in_h, in_w, c). Returns a new float32 array of shape (h, w, c). Sides are
    rounded down; a very narrow picture keeps one row or column. Source: letterbox_image.
    """
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
