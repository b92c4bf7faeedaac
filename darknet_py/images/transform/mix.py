"""Pictures of a batch mixed with one another, and their truth alike."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from darknet_py.cfg.augmentation import Augmentation

_Floats = npt.NDArray[np.float32]


def mix_batch(x: _Floats, y: _Floats, ranges: Augmentation, rng: np.random.Generator) -> None:
    """Mixes each picture of a batch with another one, in place, by mixup or by cutmix.

    `x`: shape (batch, c, h, w), 0..1; `y`: shape (batch, classes). Both stay in their range, and
    a truth that sums to 1 still does. Where both are on, each picture is drawn one of the two.
    Sources: Zhang et al. 2017, Yun et al. 2019; here each picture draws a share of its own.
    """
    if not ranges.mixup and not ranges.cutmix:
        return
    others = rng.permutation(len(x)).tolist()
    before_x, before_y = x.copy(), y.copy()
    for index, other in enumerate(others):
        if _draws_cutmix(rng, ranges):
            share = _cut(x[index], before_x[other], ranges.cutmix, rng)
        else:
            share = _blend(x[index], before_x[other], ranges.mixup, rng)
        y[index] = share * before_y[index] + (1 - share) * before_y[other]


def _draws_cutmix(rng: np.random.Generator, ranges: Augmentation) -> bool:
    if not ranges.mixup or not ranges.cutmix:
        return not ranges.mixup
    return rng.random() < 0.5


def _blend(image: _Floats, other: _Floats, alpha: float, rng: np.random.Generator) -> np.float32:
    """mixup: the share of `image` (c, h, w) that is left of it."""
    share = np.float32(rng.beta(alpha, alpha))
    image *= share
    image += (1 - share) * other
    return share


def _cut(image: _Floats, other: _Floats, alpha: float, rng: np.random.Generator) -> np.float32:
    """cutmix: the share of `image` (c, h, w) that is left of it."""
    _, h, w = image.shape
    side = math.sqrt(1 - rng.beta(alpha, alpha))
    across, down = rng.random(2).tolist()
    # the rectangle has the picture's shape; its middle lies anywhere, and what is outside is cut
    rows = _within(down * h, side * h, h)
    columns = _within(across * w, side * w, w)
    image[:, rows, columns] = other[:, rows, columns]
    cut = (rows.stop - rows.start) * (columns.stop - columns.start)
    return np.float32(1 - cut / (h * w))


def _within(middle: float, length: float, size: int) -> slice:
    start, stop = round(middle - length / 2), round(middle + length / 2)
    return slice(min(max(start, 0), size), min(max(stop, 0), size))
