"""A picture with as many channels as a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.errors import ShapeError
from darknet_py.images.transform.checks import check_image


def to_channels(image: npt.NDArray[Any], c: int) -> npt.NDArray[np.float32]:
    """The picture with `c` channels: 3 leave it as it is, 1 is grey, their mean.

    `image`: RGB, shape (h, w, 3). Returns float32 of shape (h, w, c), the picture itself if it
    is that already. Raises ShapeError for another `c`.
    """
    check_image(image)
    if c == 1:
        grey: npt.NDArray[np.float32] = image.mean(axis=2, keepdims=True, dtype=np.float32)
        return grey
    if c != 3:
        raise ShapeError(f"takes {c} channels: pictures have 1 or 3")
    return image.astype(np.float32, copy=False)
