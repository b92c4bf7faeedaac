"""A rectangle of noise over a picture."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_LONGEST = 3.3
"""How many times longer than the other one a side may be. Source: Zhong et al. 2017."""


def erase_rectangle(
    image: npt.NDArray[np.float32], rng: np.random.Generator, least: float, most: float
) -> None:
    """Overwrites a rectangle of `image` (c, h, w) with uniform noise, 0..1, in place.

    `least`, `most`: its share of the picture, 0..1, is drawn between them; its shape and its
    place are drawn as well, so that it lies within the picture.
    """
    c, h, w = image.shape
    share, shape, across, down = rng.random(4).tolist()
    area = (least + share * (most - least)) * w * h
    tall = math.sqrt(area * _LONGEST ** (2 * shape - 1))
    # a side that the picture is too small for makes the other one longer
    tall = min(max(tall, area / w), h)
    wide = min(area / tall, w) if tall else 0
    rows, columns = round(tall), round(wide)
    top, left = int(down * (h - rows + 1)), int(across * (w - columns + 1))
    image[:, top : top + rows, left : left + columns] = rng.random((c, rows, columns), np.float32)
