"""A picture changed at random, as training wants it: drawn, then done in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.images.io.image import to_float
from darknet_py.images.transform.channels import to_channels
from darknet_py.images.transform.elastic import draw_displacement
from darknet_py.images.transform.erase import erase_rectangle
from darknet_py.images.transform.fit import fit_image
from darknet_py.images.transform.random_affine import Change, affine, draw_change
from darknet_py.ops.cpu.augment import UNMOVED, augment

_Floats = npt.NDArray[np.float32]


def augment_image(
    picture: npt.NDArray[Any],
    out: _Floats,
    ranges: Augmentation,
    rng: np.random.Generator,
    components: npt.NDArray[np.float64] | None = None,
) -> None:
    """Writes a randomly changed picture to `out`, shape (c, h, w), values 0..1, c 1 or 3.

    `picture`: RGB, shape (in_h, in_w, 3), bytes or float32 in 0..1; left alone. `components`: the
    set's `principal_components`, where ranges.pca is above 0. What is drawn is drawn from `rng`
    in a fixed order.
    """
    c, h, w = out.shape
    if ranges.center:
        picture = fit_image(to_float(picture), w, h, "crop")
    in_h, in_w = picture.shape[:2]
    change = draw_change(rng, ranges, in_w, in_h, w, h)
    field = UNMOVED
    if ranges.elastic:
        field = draw_displacement(rng, ranges.elastic, ranges.elastic_sigma, w, h)
    shift = _draw_shift(rng, ranges.pca, components)
    rgb = out if c == 3 else np.empty((3, h, w), np.float32)
    augment(
        picture,
        rgb,
        affine(change, in_w, in_h, w, h),
        field,
        change.flip,
        _colour(change, shift),
    )
    if c != 3:
        out[:] = to_channels(rgb.transpose(1, 2, 0), c).transpose(2, 0, 1)
    if ranges.erase and rng.random() < ranges.erase:
        erase_rectangle(out, rng, ranges.erase_min, ranges.erase_max)


_Three = tuple[float, float, float]


def _draw_shift(
    rng: np.random.Generator, pca: float, components: npt.NDArray[np.float64] | None
) -> _Three:
    """How far all colours move, as red, green, blue."""
    if not pca or components is None:
        return 0.0, 0.0, 0.0
    # a sum, not a matrix product: too small to be worth the BLAS and its threads
    red, green, blue = (components * (pca * rng.standard_normal(3))).sum(axis=1).tolist()
    return red, green, blue


def _colour(
    change: Change, shift: _Three
) -> tuple[float, float, float, float, float, float] | None:
    if not change.recolours and not any(shift):
        return None
    return change.hue, change.saturation, change.exposure, *shift
