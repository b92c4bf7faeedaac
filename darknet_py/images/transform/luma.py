"""How bright pixels are, apart from their colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image

_SHARES = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue in what the eye takes for brightness: ITU-R BT.601, as JPEG has it."""


def with_colors_of(image: npt.NDArray[Any], source: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The picture in another one's colours: as bright as it was, with the differences between red,
    green and blue of `source`.

    Both: RGB, shape (h, w, 3), values 0..1. Returns a new float32 array, clipped to that range.
    A grey picture (h, w, 1) has no colours: it is itself.
    """
    check_image(image)
    if image.shape[2] == 1:
        return image.astype(np.float32)
    brighter = (image - source) @ _SHARES
    shifted: npt.NDArray[np.float32] = source + brighter[:, :, None]
    return np.clip(shifted, 0, 1, out=shifted)
