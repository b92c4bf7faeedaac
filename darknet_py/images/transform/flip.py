"""Pictures mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image


def flip_image(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The picture with left and right exchanged.

    `image`: shape (h, w, c). Returns a new, C-contiguous float32 array of that shape.
    Source: flip_image, which works in place.
    """
    check_image(image)
    return image[:, ::-1].astype(np.float32, order="C")
