"""Augmentation: parameters drawn at random, then applied to a training picture in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.errors import DarknetError
from darknet_py.images.arrays import Array, Doubles, Floats
from darknet_py.images.io.image import to_float
from darknet_py.images.transform.color import to_channels
from darknet_py.images.transform.fit import fit_image
from darknet_py.ops.cpu.pictures import UNMOVED, augment, control_count, spline_surface

_Three = tuple[float, float, float]
_Six = tuple[float, float, float, float, float, float]

# Of a cubic B-spline with knots 1 apart: its own standard deviation, and the variance of the sum
# of its copies times normal numbers, on average over all places (once for each direction).
_SPLINE_SIGMA = math.sqrt(1 / 3)
_SPLINE_VARIANCE = 151 / 315

_LONGEST = 3.3
"""How many times longer than the other an erased rectangle's side may be (Zhong et al. 2017)."""

_PICTURES, _PIXELS = 256, 1024
"""How many pictures, and pixels of each, the principal components are computed of."""


class Purpose(IntEnum):
    """A part of each random seed: streams of different purposes are independent."""

    ORDER = 1
    PICTURE = 2
    MIX = 3
    COMPONENTS = 4
    CLASSES = 5
    VIEW = 6
    OTHER = 7


def generator(purpose: Purpose, seed: int, *place: int) -> np.random.Generator:
    """A generator seeded by these numbers (0 or more) only: independent of threads and time."""
    return np.random.default_rng((int(purpose), seed, *place))


@dataclass(frozen=True)
class Change:
    """How one picture is changed: the arguments of the C program's `rotate_crop_image`,
    `flip_image` and `distort_image`, and the shear in radians."""

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

    The same numbers are drawn whatever the ranges are, so that one key does not affect the others.
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


def affine(change: Change, in_w: int, in_h: int, w: int, h: int) -> _Six:
    """The affine map from the result's pixels (x, y) to the picture's, a x + b y + c and
    d x + e y + f: that of `rotate_crop_image`, after a shear of the picture's columns."""
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
    """Uniform between -most and most, of any sign: rand_uniform(-most, most)."""
    return (2 * next(numbers) - 1) * most


def _whole(numbers: Iterator[float], most: int) -> int:
    """A whole number from -most to most."""
    return int(next(numbers) * (2 * most + 1)) - most


def _scale(numbers: Iterator[float], most: float) -> float:
    """Uniform between 1 and `most`, or half of the time the inverse: rand_scale."""
    scale = 1 + next(numbers) * (most - 1)
    return scale if next(numbers) < 0.5 else 1 / scale


def draw_displacement(
    rng: np.random.Generator, pixels: float, sigma: float, w: int, h: int
) -> Floats:
    """The displacement field (2, h, w) of an elastic distortion, across and down: normal, of
    standard deviation `pixels`, as smooth as noise blurred by a Gaussian of `sigma` pixels; a
    spline, so that a large sigma costs no more."""
    spacing = sigma / _SPLINE_SIGMA
    shape = (2, control_count(h, spacing), control_count(w, spacing))
    control = rng.standard_normal(shape, np.float32)
    control *= np.float32(pixels / _SPLINE_VARIANCE)
    field: Floats = spline_surface(control, spacing, w, h)
    return field


def erase_rectangle(image: Floats, rng: np.random.Generator, least: float, most: float) -> None:
    """Random erasing: overwrites a rectangle of `image` (c, h, w), a share between `least` and
    `most` of it, with uniform noise, 0..1."""
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


def mix_batch(x: Floats, y: Floats, ranges: Augmentation, rng: np.random.Generator) -> None:
    """Mixes each picture of a batch with another one, in place, by mixup or by cutmix; where both
    are on, by one of the two, drawn for each picture.

    `x`: shape (batch, c, h, w), 0..1; `y`: shape (batch, classes). Sources: Zhang et al. 2017,
    Yun et al. 2019; here each picture draws a share of its own.
    """
    if not ranges.mixup and not ranges.cutmix:
        return
    others = rng.permutation(len(x)).tolist()
    before_x, before_y = x.copy(), y.copy()
    for index, other in enumerate(others):
        if not ranges.mixup or (ranges.cutmix and rng.random() < 0.5):
            share = _cut(x[index], before_x[other], ranges.cutmix, rng)
        else:
            share = _blend(x[index], before_x[other], ranges.mixup, rng)
        y[index] = share * before_y[index] + (1 - share) * before_y[other]


def _blend(image: Floats, other: Floats, alpha: float, rng: np.random.Generator) -> np.float32:
    """mixup: the share of `image` (c, h, w) that is left of it."""
    share = np.float32(rng.beta(alpha, alpha))
    image *= share
    image += (1 - share) * other
    return share


def _cut(image: Floats, other: Floats, alpha: float, rng: np.random.Generator) -> np.float32:
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


def principal_components(get: Callable[[int], Array | None], count: int, seed: int) -> Doubles:
    """The principal components of the pixels' RGB, each as long as its standard deviation.

    Returns shape (3, 3), one component a column, of up to 256 of the `count` pictures of `get`,
    drawn by `seed`, and about 1024 pixels of each, evenly spread. Those that cannot be read (None)
    are left out. Raises DarknetError where all are.
    """
    drawn = generator(Purpose.COMPONENTS, seed).permutation(count)[:_PICTURES]
    found = (get(index) for index in drawn.tolist())
    some = [_some_pixels(picture) for picture in found if picture is not None]
    if not some:
        raise DarknetError("none of the pictures can be read (any more)")
    pixels = np.concatenate(some)
    variances, directions = np.linalg.eigh(np.cov(pixels, rowvar=False, bias=True))
    # an eigenvector's sign is arbitrary: here its largest part is positive
    largest = np.take_along_axis(directions, abs(directions).argmax(axis=0)[None], axis=0)
    lengths = np.sqrt(np.maximum(variances, 0))
    components: Doubles = directions * np.sign(largest) * lengths
    return components


def _some_pixels(picture: Array) -> Doubles:
    pixels = picture.reshape(-1, 3)
    return to_float(pixels[:: max(len(pixels) // _PIXELS, 1)]).astype(np.float64)


def augment_image(
    picture: Array,
    out: Floats,
    ranges: Augmentation,
    rng: np.random.Generator,
    components: Doubles | None = None,
) -> None:
    """Writes a randomly augmented picture to `out`, shape (c, h, w), values 0..1, c 1 or 3.

    `picture`: RGB, shape (in_h, in_w, 3), bytes or float32 in 0..1. `components`: the set's
    `principal_components`, where ranges.pca is above 0. `rng` is used in a fixed order.
    """
    c, h, w = out.shape
    if ranges.center:
        picture = fit_image(picture, w, h, "crop")
    in_h, in_w = picture.shape[:2]
    change = draw_change(rng, ranges, in_w, in_h, w, h)
    field = UNMOVED
    if ranges.elastic:
        field = draw_displacement(rng, ranges.elastic, ranges.elastic_sigma, w, h)
    shift = _draw_shift(rng, ranges.pca, components)
    rgb = out if c == 3 else np.empty((3, h, w), np.float32)
    colour = None
    if change.recolours or any(shift):
        colour = change.hue, change.saturation, change.exposure, *shift
    augment(picture, rgb, affine(change, in_w, in_h, w, h), field, change.flip, colour)
    if c != 3:
        out[:] = to_channels(rgb.transpose(1, 2, 0), c).transpose(2, 0, 1)
    if ranges.erase and rng.random() < ranges.erase:
        erase_rectangle(out, rng, ranges.erase_min, ranges.erase_max)


def _draw_shift(rng: np.random.Generator, pca: float, components: Doubles | None) -> _Three:
    """How far red, green and blue move."""
    if not pca or components is None:
        return 0.0, 0.0, 0.0
    # a sum, not a matrix product: too small to be worth the BLAS and its threads
    red, green, blue = (components * (pca * rng.standard_normal(3))).sum(axis=1).tolist()
    return red, green, blue
