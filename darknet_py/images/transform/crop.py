"""Parts of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image, check_size
from darknet_py.images.transform.resize import resize_image


def crop_image(
    image: npt.NDArray[Any], dx: int, dy: int, w: int, h: int
) -> npt.NDArray[np.float32]:
    """The `w` x `h` pixels whose upper left one is (`dx`, `dy`), in pixels.

    `image`: shape (in_h, in_w, c). Returns a new float32 array of shape (h, w, c). Places
    outside the picture take the nearest pixel of its edge. Source: crop_image.
    """
    check_image(image)
    check_size(w, h)
    in_h, in_w = image.shape[:2]
    rows = np.clip(np.arange(dy, dy + h), 0, in_h - 1)
    columns = np.clip(np.arange(dx, dx + w), 0, in_w - 1)
    return image[rows[:, None], columns].astype(np.float32, copy=False)


def center_crop_image(image: npt.NDArray[Any], w: int, h: int) -> npt.NDArray[np.float32]:
    """The largest square in the picture's middle, resized to `w` x `h`.

    `image`: shape (in_h, in_w, c). Returns a new float32 array of shape (h, w, c). The square
    is squeezed where w and h differ, as in the C program's center_crop_image.
    """
    check_image(image)
    in_h, in_w = image.shape[:2]
    side = min(in_h, in_w)
    top, left = (in_h - side) // 2, (in_w - side) // 2
    return resize_image(image[top : top + side, left : left + side], w, h)
