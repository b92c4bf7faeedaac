"""A dream's operations on its picture: jittered views, Laplacian pyramid, total variation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.arrays import Array, Floats
from darknet_py.images.transform.resize import check_image, samples
from darknet_py.ops.cpu import pictures as kernels

_KERNEL = np.array([1, 4, 6, 4, 1], np.float32) / 16
_FLAT = 1e-10
"""The standard deviation below which a band counts as empty, and is not normalised."""
_ROUND = 1e-3
"""Smooths the total variation: below this difference of neighbours, about, it is quadratic."""


class View(NamedTuple):
    """`w` x `h` pixels of a picture shifted by (-dx, -dy), and mirrored with `flip`. Outside the
    picture is the nearest pixel of its edge, or with `wrap` its other side."""

    w: int
    h: int
    dx: int = 0
    dy: int = 0
    flip: bool = False
    wrap: bool = False


def to_view(image: Array, view: View) -> Floats:
    """crop_image, resize_image and flip_image in one pass: the picture's planes, (c, h, w).

    `image`: shape (in_h, in_w, c). Unlike there, the last row is never black. Source:
    optimize_picture of the C program's nightmare.c.
    """
    check_image(image)
    in_h, in_w, _ = image.shape
    pixels = np.ascontiguousarray(image, np.float32)
    rows = _moved(_between(in_h, view.h), in_h, view.dy, view.wrap)
    columns = _moved(_between(in_w, view.w), in_w, view.dx, view.wrap)
    if view.flip:
        columns = tuple(np.ascontiguousarray(part[::-1]) for part in columns)  # type: ignore[assignment]
    planes: Floats = kernels.to_planes(pixels, rows, columns)
    return planes


def from_view(planes: Floats, view: View, w: int, h: int) -> Floats:
    """Planes of a view, (c, view.h, view.w), mapped back to its picture of `w` x `h` pixels:
    mirrored, resized and shifted the other way. Returns (h, w, c)."""
    rows = _taken(_between(view.h, h), h, view.dy, view.wrap)
    columns = _taken(_between(view.w, w), w, view.dx, view.wrap)
    if view.flip:
        left, right, share = columns
        columns = view.w - 1 - left, view.w - 1 - right, share
    pixels: Floats = kernels.to_pixels(np.ascontiguousarray(planes, np.float32), rows, columns)
    return pixels


def moments(image: Floats) -> tuple[float, float]:
    """Mean and standard deviation of all of a picture's values."""
    mean, deviation = kernels.moments(np.ascontiguousarray(image))
    return mean, deviation


def _between(size: int, out: int) -> kernels.Samples:
    """As resize_image has them; the last place is the last pixel, wherever rounding puts it."""
    before, after, share = samples(size, out)
    before[-1] = after[-1] = size - 1
    return before, after, share


def _moved(places: kernels.Samples, size: int, by: int, wrap: bool) -> kernels.Samples:
    before, after, share = places
    return _within(before + by, size, wrap), _within(after + by, size, wrap), share


def _taken(places: kernels.Samples, size: int, by: int, wrap: bool) -> kernels.Samples:
    """The samples of pixels shifted by `by`."""
    at = _within(np.arange(size) - by, size, wrap)
    before, after, share = places
    return before[at], after[at], share[at]


def _within(places: npt.NDArray[np.int64], size: int, wrap: bool) -> npt.NDArray[np.int64]:
    return places % size if wrap else np.clip(places, 0, size - 1)


def level_details(image: Array, levels: int) -> Floats:
    """The picture (h, w, c), or a dream's step, with the `levels` bands of its Laplacian pyramid
    (Burt, Adelson 1983), and the rest, divided by their standard deviations: a new float32 array.
    Source: "Laplacian Pyramid Gradient Normalization" of Google's DeepDream notebook."""
    check_image(image)
    bands = split(image.astype(np.float32, copy=False), levels)
    deviations = [band.std(dtype=np.float64) for band in bands]
    return merge(
        [
            band / np.float32(deviation) if deviation > _FLAT else band
            for band, deviation in zip(bands, deviations, strict=True)
        ]
    )


def split(image: Floats, levels: int) -> list[Floats]:
    """The Laplacian pyramid: `levels` bands, the finest first, each half as large as the one
    before, and the rest."""
    bands = []
    for _ in range(levels):
        smaller = _blur(image)[::2, ::2]
        bands.append(image - _enlarge(smaller, image.shape))
        image = smaller
    return [*bands, image]


def merge(bands: list[Floats]) -> Floats:
    """The picture of a pyramid: `split` undone."""
    *finer, image = bands
    for band in reversed(finer):
        image = _enlarge(image, band.shape) + band
    return image


def _enlarge(image: Floats, shape: tuple[int, ...]) -> Floats:
    h, w, _ = shape
    return _blur(image.repeat(2, axis=0)[:h].repeat(2, axis=1)[:, :w])


def _blur(image: Floats) -> Floats:
    """With binomial weights, replicating the edge."""
    for axis in (0, 1):
        around = [(0, 0)] * 3
        around[axis] = (2, 2)
        wide = np.pad(image, around, mode="edge")
        length = image.shape[axis]
        parts = (wide[(slice(None),) * axis + (slice(k, k + length),)] for k in range(5))
        image = sum(weight * part for weight, part in zip(_KERNEL, parts, strict=True))
    return image


def total_variation(image: Array) -> float:
    """The sum over a picture (h, w, c) of sqrt(dx^2 + dy^2 + 1e-6), dx and dy the differences to
    the next pixel. Source: Rudin, Osher, Fatemi 1992."""
    return float(_gradient(image)[2].sum(dtype=np.float64))


def variation_delta(image: Array) -> Array:
    """The negative gradient of the total variation: an array of the picture's shape and type."""
    dx, dy, length = _gradient(image)
    dx /= length
    dy /= length
    delta: Array = dx + dy
    delta[:, 1:] -= dx[:, :-1]
    delta[1:] -= dy[:-1]
    return delta


def _gradient(image: Array) -> tuple[Array, ...]:
    """Of each value the differences across and down, and the length of both."""
    check_image(image)
    dx, dy = np.zeros_like(image), np.zeros_like(image)
    np.subtract(image[:, 1:], image[:, :-1], out=dx[:, :-1])
    np.subtract(image[1:], image[:-1], out=dy[:-1])
    return dx, dy, np.sqrt(dx * dx + dy * dy + _ROUND**2)
