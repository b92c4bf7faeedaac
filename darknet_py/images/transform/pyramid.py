"""Pictures as sums of details of all sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image

_KERNEL = np.array([1, 4, 6, 4, 1], np.float32) / 16
_FLAT = 1e-10
"""A deviation below which a level has no details that could be made as strong as others."""

_Image = npt.NDArray[np.float32]


def level_details(image: npt.NDArray[Any], levels: int) -> _Image:
    """The picture with details of every size equally strong.

    `image`: shape (h, w, c), any range: a step of a dream. It is split into a Laplacian pyramid
    (Burt, Adelson 1983) of `levels` bands and the rest, each is divided by its standard
    deviation, and they are put together again. Returns a new float32 array of that shape.
    Source: "Laplacian Pyramid Gradient Normalization" of Google's DeepDream notebook.
    """
    check_image(image)
    bands = split(image.astype(np.float32, copy=False), levels)
    deviations = [band.std(dtype=np.float64) for band in bands]
    return merge(
        [
            band / np.float32(deviation) if deviation > _FLAT else band
            for band, deviation in zip(bands, deviations, strict=True)
        ]
    )


def split(image: _Image, levels: int) -> list[_Image]:
    """`levels` bands, the finest first, each half as large as the one before, and the rest."""
    bands = []
    for _ in range(levels):
        smaller = _blur(image)[::2, ::2]
        bands.append(image - _enlarge(smaller, image.shape))
        image = smaller
    return [*bands, image]


def merge(bands: list[_Image]) -> _Image:
    """What was split."""
    *finer, image = bands
    for band in reversed(finer):
        image = _enlarge(image, band.shape) + band
    return image


def _enlarge(image: _Image, shape: tuple[int, ...]) -> _Image:
    h, w, _ = shape
    return _blur(image.repeat(2, axis=0)[:h].repeat(2, axis=1)[:, :w])


def _blur(image: _Image) -> _Image:
    """With binomial weights; beyond its edge a picture goes on as it ends."""
    for axis in (0, 1):
        around = [(0, 0)] * 3
        around[axis] = (2, 2)
        wide = np.pad(image, around, mode="edge")
        length = image.shape[axis]
        parts = (wide[(slice(None),) * axis + (slice(k, k + length),)] for k in range(5))
        image = sum(weight * part for weight, part in zip(_KERNEL, parts, strict=True))
    return image
