"""A picture as a network is shown it in a dream: moved, scaled, mirrored; and what comes back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image
from darknet_py.images.transform.resize import samples
from darknet_py.ops.cpu import view as kernels

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
