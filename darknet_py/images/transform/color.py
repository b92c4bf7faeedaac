"""Channels of a picture: grey, and another picture's colours."""

from __future__ import annotations

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.images.arrays import Array, Floats
from darknet_py.images.transform.resize import check_image

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""The weights of red, green and blue in luma: ITU-R BT.601, as JPEG has it."""


def to_grey(image: Array) -> Floats:
    """The luma (h, w) of a picture (h, w, 3); the only channel of one (h, w, 1)."""
    values = np.nan_to_num(np.clip(image, 0, 1)).astype(np.float32)
    grey: Floats = values @ _LUMA if values.shape[2] == 3 else values[..., 0]
    return grey


def to_channels(image: Array, c: int) -> Floats:
    """An RGB picture (h, w, 3) as float32 (h, w, c), itself if it is that already: with 1 channel
    grey, the mean. Raises ShapeError for a `c` other than 1 or 3."""
    check_image(image)
    if c == 1:
        return image.mean(axis=2, keepdims=True, dtype=np.float32)  # type: ignore[no-any-return]
    if c != 3:
        raise ShapeError(f"takes {c} channels: pictures have 1 or 3")
    return image.astype(np.float32, copy=False)


def with_colors_of(image: Array, source: Array) -> Floats:
    """The picture in another one's colours: as bright as it was, with the differences between red,
    green and blue of `source`.

    Both: RGB, shape (h, w, 3), values 0..1. Returns a new float32 array, clipped to that range.
    A grey picture (h, w, 1) has no colours: it is itself.
    """
    check_image(image)
    if image.shape[2] == 1:
        return image.astype(np.float32)
    brighter = (image - source) @ _LUMA
    shifted: Floats = source + brighter[:, :, None]
    return np.clip(shifted, 0, 1, out=shifted)
