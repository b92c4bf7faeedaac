"""Many pictures on one, each with a line of text below: filters, dreams, mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from darknet_py.images.arrays import Array, Bytes, Floats
from darknet_py.images.draw.canvas import GRID, INK
from darknet_py.images.draw.fonts import shorten, text_mask, text_width
from darknet_py.images.draw.heatmap import color_map
from darknet_py.images.io.image import to_bytes, to_float
from darknet_py.images.transform.resize import check_image

_MARGIN, _GAP = 14, 12
_TEXT = 12  # Size of the letters,
_LINE = 20  # and height of their line.
_TITLE, _HEAD = 15, 30  # Size of the title's letters, and height of its line.
_SMALLEST_CELL, _LARGEST_CELL = 96, 224
_SHAPE = 1.5  # How much wider than high a sheet is, about.
_TOP = 0.999  # Of all values of maps, so many are not above the brightest colour.


def draw_sheet(
    pictures: Sequence[Array],
    captions: Sequence[str],
    columns: int | None = None,
    cell: int | None = None,
    title: str = "",
) -> Floats:
    """A contact sheet: pictures in rows, each as large as fits into `cell` x `cell` pixels.

    `pictures`: at least one, of shape (h, w, 3), RGB, or (h, w, 1), grey, of any sizes; values
    0..1, clipped; NaN is black. Small ones are enlarged by an integer, without smoothing; large
    ones are reduced, antialiased. `captions`: one for each, shortened where too long; without any,
    no room is left for them. `columns`: by default so many that the sheet is somewhat wider than
    high; `cell`: by default 96 to 224 pixels, by the largest picture.

    Returns float32 RGB of shape (h, w, 3), values 0..1. Raises ValueError for no picture,
    another shape, another number of captions, and columns or cells below 1.
    """
    _check(pictures, captions, columns, cell)
    if cell is None:
        cell = min(max(_SMALLEST_CELL, *(max(one.shape[:2]) for one in pictures)), _LARGEST_CELL)
    tiles = [_tile(one, cell) for one in pictures]
    line = _LINE if any(captions) else 0
    w = cell if line else max(tile.width for tile in tiles)
    step = w + _GAP
    columns = columns or _columns(len(tiles), step / (max(tile.height for tile in tiles) + _GAP))
    rows = [tiles[first : first + columns] for first in range(0, len(tiles), columns)]
    heights = [max(tile.height for tile in row) + line for row in rows]
    head = _HEAD if title else 0
    ends = [_MARGIN + head + sum(heights[: i + 1]) + _GAP * i for i in range(len(rows))]
    width = max(columns * step - _GAP, round(text_width(title, _TITLE) + 2) if title else 0)
    sheet = Image.new("RGB", (width + 2 * _MARGIN, ends[-1] + _MARGIN), "white")
    if title:
        _write(sheet, _MARGIN, _MARGIN - 1, text_mask(title, _TITLE))
    for i, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        x, bottom = _MARGIN + i % columns * step, ends[i // columns] - line
        left, top = x + (w - tile.width) // 2, bottom - tile.height
        # a thin frame around it: white pictures would have no edge
        sheet.paste(GRID, (left - 1, top - 1, left + tile.width + 1, bottom + 1))
        sheet.paste(tile, (left, top))
        if caption:
            ink = text_mask(shorten(caption, w - 2, _TEXT), _TEXT)
            _write(sheet, x + (w - ink.shape[1]) // 2, bottom + 1, ink)
    return to_float(np.asarray(sheet))


def _check(
    pictures: Sequence[Array],
    captions: Sequence[str],
    columns: int | None,
    cell: int | None,
) -> None:
    if not len(pictures):
        raise ValueError("a sheet needs a picture")
    if len(captions) != len(pictures):
        raise ValueError(f"{len(captions)} captions for {len(pictures)} pictures")
    for number, name in ((columns, "columns"), (cell, "cell")):
        if number is not None and number < 1:
            raise ValueError(f"{name}={number} is below 1")
    for picture in pictures:
        check_image(picture)
        if picture.shape[2] not in (1, 3):
            raise ValueError(f"an array of shape {picture.shape} is not (h, w, 3) or (h, w, 1)")


def _tile(picture: Array, cell: int) -> Image.Image:
    """The picture scaled for the sheet."""
    pixels = to_bytes(picture)
    tile = Image.fromarray(pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels)
    longest = max(tile.size)
    if longest <= cell:
        factor = cell // longest
        return tile.resize((tile.width * factor, tile.height * factor), Image.Resampling.NEAREST)
    w, h = (max(1, round(side * cell / longest)) for side in tile.size)
    return tile.resize((w, h), Image.Resampling.LANCZOS)


def _columns(count: int, shape: float) -> int:
    """The number of columns near the one that gives the sheet its shape, where one picture's is
    w / h = `shape`, that leaves the fewest places empty."""
    wanted = min(math.sqrt(count * _SHAPE / shape), count)
    near = range(max(1, math.ceil(wanted * 0.75)), math.ceil(wanted * 1.3) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(columns - wanted)))


def _write(sheet: Image.Image, left: int, top: int, ink: Bytes) -> None:
    sheet.paste(INK, (left, top), Image.fromarray(ink))


def draw_maps(maps: Array, captions: Sequence[str], title: str = "") -> Floats:
    """Every map (k, h, w) in colours, with a caption; the title says the ends of the scale: 0, or
    the minimum where no sign changes, and the 99.9th percentile. Returns float32 RGB (h', w', 3),
    0..1."""
    finite = np.nan_to_num(maps)
    high = float(np.quantile(finite, _TOP))
    least = float(finite.min())
    low = 0.0 if least < 0 < high else least
    shares = (finite - low) / (high - low) if high > low else np.zeros_like(finite)
    scale = f"black {low:.3g}, pale yellow {high:.3g}"
    pictures = list(color_map(shares))
    return draw_sheet(pictures, captions, title=f"{title}; {scale}" if title else scale)
