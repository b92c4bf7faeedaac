"""What a dream does to its picture: views of it, details of all sizes, smoothness."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.resize import check_image, samples
from darknet_py.ops.cpu import pictures as kernels

# A picture as a network is shown it in a dream: moved, scaled, mirrored; and what comes back.

_Planes = npt.NDArray[np.float32]


class View(NamedTuple):
    """`w` x `h` pixels, of a picture whose pixel (dx, dy) has been moved to its corner; mirrored
    with `flip`. What comes from outside the picture is the nearest pixel of its edge, or with
    `wrap` what leaves it on the other side."""

    w: int
    h: int
    dx: int = 0
    dy: int = 0
    flip: bool = False
    wrap: bool = False


def to_view(image: npt.NDArray[Any], view: View) -> _Planes:
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
    planes: _Planes = kernels.to_planes(pixels, rows, columns)
    return planes


def from_view(planes: _Planes, view: View, w: int, h: int) -> npt.NDArray[np.float32]:
    """What belongs to a view, (c, view.h, view.w), brought back to its picture of `w` x `h` pixels:
    mirrored, resized and moved the other way. Returns (h, w, c)."""
    rows = _taken(_between(view.h, h), h, view.dy, view.wrap)
    columns = _taken(_between(view.w, w), w, view.dx, view.wrap)
    if view.flip:
        left, right, share = columns
        columns = view.w - 1 - left, view.w - 1 - right, share
    pixels: npt.NDArray[np.float32] = kernels.to_pixels(
        np.ascontiguousarray(planes, np.float32), rows, columns
    )
    return pixels


def moments(image: npt.NDArray[np.float32]) -> tuple[float, float]:
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
    """The samples of pixels that lie `by` further down or to the left."""
    at = _within(np.arange(size) - by, size, wrap)
    before, after, share = places
    return before[at], after[at], share[at]


def _within(places: npt.NDArray[np.int64], size: int, wrap: bool) -> npt.NDArray[np.int64]:
    return places % size if wrap else np.clip(places, 0, size - 1)


# Pictures as sums of details of all sizes.

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


# How rough a picture is, and how to make it less so.

_ROUND = 1e-3
"""Below this difference of neighbours, about, their distance counts by its square: what is smooth
stays, and the derivative is there everywhere."""


def total_variation(image: npt.NDArray[Any]) -> float:
    """The sum of sqrt(dx^2 + dy^2 + 1e-6), dx and dy the differences to the next pixel.

    `image`: shape (h, w, c). Source: Rudin, Osher, Fatemi 1992.
    """
    check_image(image)
    dx, dy = _differences(image)
    return float(_length(dx, dy).sum(dtype=np.float64))


def variation_delta(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The negative gradient of the total variation: an array of the picture's shape and type."""
    check_image(image)
    dx, dy = _differences(image)
    length = _length(dx, dy)
    dx /= length
    dy /= length
    delta: npt.NDArray[Any] = dx + dy
    delta[:, 1:] -= dx[:, :-1]
    delta[1:] -= dy[:-1]
    return delta


def _differences(image: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    dx, dy = np.zeros_like(image), np.zeros_like(image)
    np.subtract(image[:, 1:], image[:, :-1], out=dx[:, :-1])
    np.subtract(image[1:], image[:-1], out=dy[:-1])
    return dx, dy


def _length(dx: npt.NDArray[Any], dy: npt.NDArray[Any]) -> npt.NDArray[Any]:
    length: npt.NDArray[Any] = np.sqrt(dx * dx + dy * dy + _ROUND**2)
    return length
