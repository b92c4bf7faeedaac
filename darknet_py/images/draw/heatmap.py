"""Heat maps as pictures: alone, or over their picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from darknet_py.images.arrays import Array, Bools, Floats
from darknet_py.images.io.image import to_bytes, to_float
from darknet_py.images.transform.color import to_grey
from darknet_py.images.transform.fit import Frame
from darknet_py.images.transform.resize import check_image

INFERNO = (
    *((0, 0, 4), (11, 7, 36), (33, 12, 74), (60, 9, 101), (87, 16, 109), (112, 25, 110)),
    *((137, 34, 106), (163, 43, 97), (187, 55, 85), (209, 70, 68), (227, 89, 50), (241, 113, 30)),
    *((249, 141, 10), (252, 171, 15), (249, 202, 50), (242, 232, 101), (252, 255, 164)),
)
"""From black over purple and orange to a pale yellow, at equal distances from 0 to 1.

Source: every 16th colour of matplotlib's "inferno" by van der Walt and Smith (2015, CC0), which is
perceptually uniform, also to those who are blind to red, green or blue.
"""

_COLORS = np.array(INFERNO, np.float32) / 255
_PLACES = np.linspace(0, 1, len(INFERNO))

_SMALLEST, _LARGEST = 320, 1024
"""Pixels of the longer side of what is drawn, about and at most."""
_TOP = 0.995  # Of all pixels, so many are not above the map's brightest colour.
_PALE, _STRONG = 0.15, 0.75  # How much of a pixel is colour, at heat 0 and 1.
_LEVEL = 0.5


def color_map(values: Array) -> Floats:
    """The colours (..., 3), float32 RGB from 0 to 1, of values (...), clipped to 0..1.

    What is not a number is black.
    """
    clipped = np.nan_to_num(np.clip(values, 0, 1))
    parts = [np.interp(clipped, _PLACES, _COLORS[:, part]) for part in range(3)]
    colors: Floats = np.stack(parts, axis=-1).astype(np.float32)
    return colors


def spread_heat(heat: Array, w: int, h: int, frame: Frame | None = None) -> Floats:
    """The map (h', w'), bilinearly upsampled to a picture of `w` x `h` between the centres of its
    cells, constant beyond the outermost ones.

    frame: where the map's edges lie on the picture, by default on the picture's own. Returns
    float32 of shape (h, w), 0 outside the frame.
    """
    frame = frame or Frame(0, 0, w, h)
    rows = _along(h, frame.top, frame.bottom, heat.shape[0])
    columns = _along(w, frame.left, frame.right, heat.shape[1])
    spread: Floats = rows @ heat.astype(np.float32) @ columns.T
    return spread


def _along(length: int, start: float, end: float, cells: int) -> Floats:
    """(length, cells): the weight of each cell for each pixel of a side."""
    middles = np.arange(length) + 0.5
    places = np.clip((middles - start) / (end - start) * cells - 0.5, 0, cells - 1)
    before = np.minimum(places.astype(np.intp), max(cells - 2, 0))
    share = places - before
    parts = np.zeros((length, cells), np.float32)
    pixels = np.arange(length)
    parts[pixels, before] = 1 - share
    parts[pixels, np.minimum(before + 1, cells - 1)] += share
    parts[(middles < start) | (middles > end)] = 0
    return parts


def shown_size(w: int, h: int) -> tuple[int, int]:
    """The size at which a picture of `w` x `h` is drawn: small ones are enlarged by an integer."""
    longest = max(w, h)
    if longest > _LARGEST:
        return max(1, round(w * _LARGEST / longest)), max(1, round(h * _LARGEST / longest))
    factor = max(1, _SMALLEST // longest)
    return w * factor, h * factor


def draw_heat(heat: Array, w: int, h: int) -> Floats:
    """The map (h', w') alone in colours, black where it is 0 or less, for a picture of `w` x `h`:
    float32 RGB at `shown_size`."""
    return color_map(_shares(heat, *shown_size(w, h)))


def draw_overlay(image: Array, heat: Array, outline: bool = True) -> Floats:
    """The map over the picture in grey.

    `image`: shape (h, w, 3) or (h, w, 1), values 0..1; `heat` as in `draw_heat`. `outline`: a
    contour at half of the maximum, readable without colour vision, unless the map is of single
    pixels. Returns float32 RGB at `shown_size`, values 0..1.
    """
    check_image(image)
    h, w = image.shape[:2]
    shown_w, shown_h = shown_size(w, h)
    grey = _grey(image, shown_w, shown_h)
    shares = _shares(heat, shown_w, shown_h)
    part = (_PALE + (_STRONG - _PALE) * shares)[..., None]
    drawn: Floats = (1 - part) * grey[..., None] + part * color_map(shares)
    if outline:
        _draw_outline(drawn, shares >= _LEVEL)
    return drawn


def _grey(image: Array, w: int, h: int) -> Floats:
    is_larger = w > image.shape[1]
    way = Image.Resampling.NEAREST if is_larger else Image.Resampling.LANCZOS
    picture = Image.fromarray(to_bytes(to_grey(image))).resize((w, h), way)
    return to_float(np.asarray(picture))


def _shares(heat: Array, w: int, h: int) -> Floats:
    """The map at every pixel as a share of its brightest colour, 0..1."""
    spread = np.maximum(spread_heat(heat, w, h), 0)
    top = float(np.quantile(spread, _TOP)) or float(spread.max())
    shares: Floats = np.minimum(spread / top, 1) if top > 0 else spread
    return shares


def _draw_outline(drawn: Floats, within: Bools) -> None:
    """A white line inside the edge of an area and a dark one outside: visible on any background."""
    width = max(1, min(within.shape) // 200)
    drawn[_grown(within, width) & ~within] = 0.1
    drawn[within & _grown(~within, width)] = 1


def _grown(area: Bools, by: int) -> Bools:
    """The area dilated by `by` pixels."""
    for axis in (0, 1):
        padded = np.pad(area, [(by, by) if axis == a else (0, 0) for a in (0, 1)])
        length = area.shape[axis]
        moved = [padded.take(range(k, k + length), axis) for k in range(2 * by + 1)]
        area = np.logical_or.reduce(moved)
    return area
