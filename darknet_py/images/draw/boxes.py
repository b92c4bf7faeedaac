"""Boxes and labels on a picture, made to be read on any: dark, bright, tiny, large."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from darknet_py.images.arrays import Array, Bytes
from darknet_py.images.draw.fonts import shorten, text_mask
from darknet_py.images.io.image import to_bytes

Color = tuple[int, int, int]
Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the picture."""
Cut = tuple[int, int, int, int]
"""Left, top, right, bottom: whole pixels within the picture, the last two just behind it."""

_GOLDEN = (math.sqrt(5) - 1) / 2
_SHADES = ((0.95, 1.0), (0.75, 0.8), (0.6, 1.0))
"""Saturation and value of colours, in turns: hues alone look alike where there are eighty."""
_DARK, _BRIGHT = (0, 0, 0), (255, 255, 255)
_SMALLEST_LETTERS, _LARGEST_LETTERS = 11, 120
_LEAST_HEIGHT = 40
"""A picture that is less high has boxes alone: a label would be all that is seen."""
_PLACES = 64
"""Places further down, and further up, where a label is tried if those at its box are taken."""


@dataclass(frozen=True)
class Labelled:
    """A box to draw: the number of its class, which gives the colour, and what stands on it."""

    index: int
    text: str
    box: Box


def class_color(index: int) -> Color:
    """The colour of a class, RGB of 0..255: always the same, and neighbours far from each other."""
    saturation, value = _SHADES[index % len(_SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(0.33 + index * _GOLDEN, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def text_color(background: Color) -> Color:
    """Black or white, whichever can be read better. Source: WCAG 2.1, relative luminance."""
    linear = [
        (c / 255 / 12.92 if c < 11 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in background
    ]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return _DARK if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else _BRIGHT


def clip_box(box: Box, w: int, h: int) -> Cut | None:
    """A box in whole pixels of a picture of w x h, at least one; None where nothing of it is there,
    or its numbers are not numbers."""
    left, top, width, height = map(float, box)
    right, bottom = left + width, top + height
    # a NaN fails any comparison
    if not (width > 0 and height > 0 and right > 0 and bottom > 0 and left < w and top < h):
        return None
    if not (math.isfinite(left) or left < 0) or math.isnan(right) or math.isnan(bottom):
        return None
    x, y = (math.floor(min(max(edge, 0), end - 1)) for edge, end in ((left, w), (top, h)))
    return x, y, max(math.ceil(min(right, w)), x + 1), max(math.ceil(min(bottom, h)), y + 1)


def line_width(w: int, h: int) -> int:
    """Pixels of a line on a picture of w x h."""
    return max(round((w + h) / 400), 1)


def letter_size(w: int, h: int) -> int:
    """Pixels of the letters on a picture of w x h."""
    return min(max(round((w + h) / 70), _SMALLEST_LETTERS), _LARGEST_LETTERS)


def draw_boxes(image: Array, boxes: Sequence[Labelled]) -> Bytes:
    """The picture with boxes on it: bytes (h, w, 3).

    `image`: RGB of shape (h, w, 3), bytes or floats from 0 to 1; it is not changed. The first boxes
    lie above later ones, and their labels have the best places: give the most probable first. What
    one box is called by several classes stands on one label. Lines have an edge, dark or bright;
    labels stay within the picture, and do not cover each other where there is room. A box that is
    partly outside is clipped; one that is outside, or whose numbers are none, is left out.
    """
    picture = np.array(image if image.dtype == np.uint8 else to_bytes(image))
    h, w = picture.shape[:2]
    drawn = [(cut, one) for one in _merged(boxes) if (cut := clip_box(one.box, w, h))]
    for cut, one in reversed(drawn):
        _draw_box(picture, cut, class_color(one.index))
    if h >= _LEAST_HEIGHT:
        _draw_labels(picture, drawn)
    return picture


def cut_box(image: Array, box: Box) -> Array | None:
    """What is within a box, (h', w', 3); None where nothing is."""
    cut = clip_box(box, image.shape[1], image.shape[0])
    return None if cut is None else image[cut[1] : cut[3], cut[0] : cut[2]]


def _merged(boxes: Sequence[Labelled]) -> list[Labelled]:
    """One for each box, with the texts of all its classes."""
    found: dict[Box, Labelled] = {}
    for one in boxes:
        before = found.get(one.box)
        text = f"{before.text}, {one.text}" if before else one.text
        found[one.box] = Labelled(before.index if before else one.index, text, one.box)
    return list(found.values())


def _draw_box(picture: Bytes, cut: Cut, color: Color) -> None:
    h, w = picture.shape[:2]
    line = line_width(w, h)
    if line > 1:  # on a tiny picture the edge would hide what is in the box
        edge = max(line // 3, 1)
        _frame(picture, cut, line + edge, text_color(color), -edge)
    _frame(picture, cut, line, color)


def _frame(picture: Bytes, cut: Cut, width: int, color: Color, offset: int = 0) -> None:
    """A frame whose outer edge is the box's, or further out, within the picture."""
    h, w = picture.shape[:2]
    left, top = max(cut[0] + offset, 0), max(cut[1] + offset, 0)
    right, bottom = min(cut[2] - offset, w), min(cut[3] - offset, h)
    inner = width
    picture[top : min(top + inner, bottom), left:right] = color
    picture[max(bottom - inner, top) : bottom, left:right] = color
    picture[top:bottom, left : min(left + inner, right)] = color
    picture[top:bottom, max(right - inner, left) : right] = color


def _draw_labels(picture: Bytes, drawn: Sequence[tuple[Cut, Labelled]]) -> None:
    h, w = picture.shape[:2]
    size, line = letter_size(w, h), line_width(w, h)
    pad = max(size // 5, 2)
    taken: list[Cut] = []
    for cut, one in drawn:
        if not one.text:
            continue
        ink = _ink(shorten(one.text, w - 2 * pad - 2, size), size)
        ink = ink[: max(h - 1, 1), : max(w - 2 * pad, 1)]
        width, height = ink.shape[1] + 2 * pad, ink.shape[0]
        place = _best_place(cut, width, height, w, h, line, taken)
        taken.append(place)
        left, top, right, bottom = place
        color = class_color(one.index)
        picture[top:bottom, left:right] = color
        ground = picture[top : top + ink.shape[0], left + pad : left + pad + ink.shape[1]]
        alpha = ink[: ground.shape[0], : ground.shape[1], None].astype(np.float32) / 255
        letters = np.array(text_color(color), np.float32)
        ground[:] = np.rint(ground + (letters - ground) * alpha).astype(np.uint8)


@lru_cache(256)
def _ink(text: str, size: int) -> Bytes:
    """A video has the same labels in each of its frames."""
    return text_mask(text, size)


def _best_place(
    cut: Cut, width: int, height: int, w: int, h: int, line: int, taken: Sequence[Cut]
) -> Cut:
    """The first place that no label has; where all are taken, the one that covers least."""
    best: Cut | None = None
    least = math.inf
    for left, top in _places(cut, width, height, line):
        x, y = min(max(left, 0), max(w - width, 0)), min(max(top, 0), max(h - height, 0))
        place = x, y, min(x + width, w), min(y + height, h)
        covered = sum(_shared(place, other) for other in taken)
        if covered < least:
            best, least = place, covered
        if not covered:
            break
    assert best is not None
    return best


def _places(cut: Cut, width: int, height: int, line: int) -> Iterator[tuple[int, int]]:
    """Left and top of a label: above its box, in it, below it, each left, then right; further down,
    further up."""
    left, top, right, bottom = cut
    rows: tuple[int, ...] = (top - height, top + line, bottom, bottom - line - height)
    if top < height:  # it would be pushed into the box, over the line
        rows = (top + line, bottom, bottom - line - height)
    for x in (left, right - width):
        yield from ((x, y) for y in rows)
    for step in range(1, _PLACES):
        for x in (left, right - width, left - width, right):
            yield x, top + line + step * height
            yield x, top - (step + 1) * height


def _shared(one: Cut, other: Cut) -> int:
    """Pixels that both have."""
    w = min(one[2], other[2]) - max(one[0], other[0])
    h = min(one[3], other[3]) - max(one[1], other[1])
    return max(w, 0) * max(h, 0)
