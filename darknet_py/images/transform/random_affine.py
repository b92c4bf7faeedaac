"""How one training picture is changed: drawn from the ranges of an Augmentation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from darknet_py.cfg.augmentation import Augmentation


@dataclass(frozen=True)
class Change:
    """What `rotate_crop_image`, `flip_image` and `distort_image` are told, and the shear (radians).

    `rad`: radians; `scale`: 2 magnifies; `dx`, `dy`: the window's move, in pixels of the result.
    """

    rad: float = 0
    scale: float = 1
    dx: float = 0
    dy: float = 0
    aspect: float = 1
    shear: float = 0
    flip: bool = False
    hue: float = 0
    saturation: float = 1
    exposure: float = 1

    @property
    def recolours(self) -> bool:
        """Whether any colour may change."""
        return (self.hue, self.saturation, self.exposure) != (0, 1, 1)


def draw_change(
    rng: np.random.Generator, ranges: Augmentation, in_w: int, in_h: int, w: int, h: int
) -> Change:
    """Draws the change that makes a picture of in_w x in_h pixels one of w x h.

    Source: random_augment_args and load_image_augment_paths, with the same distributions: the
    side `min(in_h, in_w * aspect)` becomes min_crop to max_crop pixels long (so an aspect above 1
    shows black beside the picture, one below 1 magnifies); the window moves to either side by up
    to what the picture is larger, and by up to what it is smaller. The C program only knows
    square windows, and measures `dy` by the window's width; here it is its height.

    The same numbers are drawn whatever the ranges are, so that one key does not change what the
    others do.
    """
    numbers = iter(rng.random(15).tolist())
    aspect = _scale(numbers, ranges.aspect)
    low, high = sorted((ranges.min_crop, ranges.max_crop))
    side = low + int(next(numbers) * (high - low + 1))
    rad = _to_either_side(numbers, math.radians(ranges.angle))
    # the C program's whole number, which is 0 for the narrowest pictures
    shortest = max(int(min(in_h, in_w * aspect)), 1)
    scale = side / shortest
    dx = _to_either_side(numbers, (in_w * scale / aspect - w) / 2)
    dy = _to_either_side(numbers, (in_h * scale - h) / 2)
    flip = next(numbers) < 0.5 and ranges.flip
    hue = _to_either_side(numbers, ranges.hue)
    saturation, exposure = _scale(numbers, ranges.saturation), _scale(numbers, ranges.exposure)
    shear = _to_either_side(numbers, math.radians(ranges.shear))
    colours = {"hue": hue, "saturation": saturation, "exposure": exposure}
    dx, dy = (move + _whole(numbers, ranges.shift) for move in (dx, dy))
    if ranges.center:
        return Change(shear=shear, flip=flip, **colours)
    return Change(rad, scale, dx, dy, aspect, shear, flip, **colours)


def affine(
    change: Change, in_w: int, in_h: int, w: int, h: int
) -> tuple[float, float, float, float, float, float]:
    """Where in the picture the pixel (x, y) of the result is: (a x + b y + c, d x + e y + f).

    As `rotate_crop_image` has it; the shear is the first thing done to the picture's columns.
    """
    # the C program keeps these in float32, but computes in double
    rad, scale, dx, dy, aspect = (
        float(np.float32(value))
        for value in (change.rad, change.scale, change.dx, change.dy, change.aspect)
    )
    cos, sin, lean = math.cos(rad), math.sin(rad), math.tan(change.shear)
    across, down = aspect / scale, 1 / scale
    a, b = cos * across, (cos * lean - sin) * down
    d, e = sin * across, (sin * lean + cos) * down
    x, y = dx - w / 2, dy - h / 2
    return a, b, a * x + b * y + in_w / 2, d, e, d * x + e * y + in_h / 2


def _to_either_side(numbers: Iterator[float], most: float) -> float:
    """Uniform between -most and most, whichever is less: rand_uniform(-most, most)."""
    return (2 * next(numbers) - 1) * most


def _whole(numbers: Iterator[float], most: int) -> int:
    """A whole number from -most to most."""
    return int(next(numbers) * (2 * most + 1)) - most


def _scale(numbers: Iterator[float], most: float) -> float:
    """Uniform between 1 and `most`, or, half of the time, the inverse of that: rand_scale."""
    scale = 1 + next(numbers) * (most - 1)
    return scale if next(numbers) < 0.5 else 1 / scale
