"""Which classes a network takes for which: a confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from darknet_py.images.charts.axis import tick_labels, ticks
from darknet_py.images.charts.drawing import (
    FRAME,
    GRID,
    INK,
    PAPER,
    QUIET_INK,
    new_canvas,
    shorten,
    text_width,
    to_picture,
    write,
    write_upwards,
)

_MARGIN = 16
_TITLE, _TEXT, _SMALL = 17, 14, 12  # Sizes of letters.
_SIDE = 1000  # Pixels that a large matrix fills, if its cells are not below one.
_LARGEST_CELL = 44
_MOST_COUNTED = 20  # Classes whose counts are written into the cells.
_NAMED_CELL = 13  # The smallest beside which a name stands,
_LINED_CELL = 13  # and that shows its edges.
_NAME = 170  # Pixels of a name, at most.
_GAP = 6
_SCALE_W, _SCALE_H = 220, 12
_RIGHT, _TOTAL = "right", "total"

# From paper to a dark blue, light enough at both ends to write on in black, then in white.
_SHADES = np.array([(255, 255, 255), (158, 202, 225), (49, 130, 189), (8, 48, 107)], np.float64)
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_LIFT = 0.45  # The power of a share that is its place there: one wrong in fifty is seen.


def draw_confusion(
    matrix: npt.NDArray[np.integer], names: Sequence[str]
) -> npt.NDArray[np.float32]:
    """A square of cells, a row for each true class, a column for each predicted one.

    `matrix`: counts of shape (k, k), k at least 1; `names`: k of them. Returns float32 RGB of
    shape (h, w, 3), values 0..1. A cell is as dark as its share of the row is large; up to 20
    classes have counts in their cells (0 left blank), and each row the share that is right and
    its total. Names stand along both sides while they fit, numbers of classes beyond; a cell of
    a thousand classes is one pixel. Raises ValueError for another shape, counts below 0 or
    another number of names.
    """
    counts = np.asarray(matrix)
    k = counts.shape[0] if counts.ndim else 0
    if counts.shape != (k, k) or not k or counts.dtype.kind not in "iu":
        raise ValueError(f"{counts.dtype} of shape {counts.shape} is not a matrix (k, k) of counts")
    if (counts < 0).any():
        raise ValueError("a count is below 0")
    if len(names) != k:
        raise ValueError(f"{len(names)} names for {k} classes")
    return to_picture(_draw(_measure(counts, names)))


class _Plan(NamedTuple):
    """What goes where, in pixels."""

    counts: npt.NDArray[np.integer]
    names: list[str]
    """As far as they fit; none where they do not."""
    turned: bool
    """Whether the names above read upwards."""
    cell: int
    left: int
    top: int
    rights: list[str]
    """Of each row that has a name, the share that is right,"""
    totals: list[str]
    """and how many it has."""

    @property
    def side(self) -> int:
        return self.cell * len(self.counts)

    @property
    def right(self) -> int:
        return self.left + self.side

    @property
    def bottom(self) -> int:
        return self.top + self.side

    @property
    def middles(self) -> list[float]:
        """Of the cells, from an edge of the matrix."""
        return [(i + 0.5) * self.cell for i in range(len(self.counts))]


def _measure(counts: npt.NDArray[np.integer], names: Sequence[str]) -> _Plan:
    k = len(counts)
    cell = max(1, min(_LARGEST_CELL, _SIDE // k))
    if k <= _MOST_COUNTED:
        cell = max(cell, text_width(f"{counts.max()}", _SMALL) + 2 * _GAP)
    shown = [shorten(name, _NAME, _SMALL) for name in names] if cell >= _NAMED_CELL else []
    longest = _widest(shown or [f"{k}"])
    turned = bool(shown) and longest > cell - _GAP
    left = _MARGIN + _TEXT + 2 * _GAP + longest + _GAP
    top = _MARGIN + _TITLE + 3 * _GAP + _TEXT + 2 * _GAP + (longest if turned else _SMALL) + _GAP
    totals = counts.sum(axis=1, dtype=np.float64).tolist()
    rows = list(zip(counts.diagonal().tolist(), totals, strict=True)) if shown else []
    rights = [f"{right / total:.1%}" if total else "" for right, total in rows]
    return _Plan(counts, shown, turned, cell, left, top, rights, [f"{n:,.0f}" for _, n in rows])


def _widest(texts: Sequence[str]) -> int:
    return max((text_width(text, _SMALL) for text in texts), default=0)


def _draw(plan: _Plan) -> Image.Image:
    title = _title(plan.counts)
    first = plan.right + 2 * _GAP + _widest([_RIGHT, *plan.rights])
    second = first + 3 * _GAP + _widest([_TOTAL, *plan.totals])
    ends = (second if plan.names else plan.right, plan.left + _SCALE_W, text_width(title, _TITLE))
    canvas = new_canvas(max(ends) + 2 * _MARGIN, plan.bottom + 7 * _GAP + _SCALE_H + _MARGIN)
    write(canvas, (_MARGIN, _MARGIN + _TITLE / 2), title, _TITLE)
    _draw_cells(canvas, plan)
    _write_counts(canvas, plan)
    _write_sides(canvas, plan)
    if plan.names:
        _write_column(canvas, plan, first, [_RIGHT, *plan.rights])
        _write_column(canvas, plan, second, [_TOTAL, *plan.totals])
    else:
        _write_numbers(canvas, plan)
    _draw_scale(canvas, plan.left, plan.bottom + 4 * _GAP)
    return canvas


def _title(counts: npt.NDArray[np.integer]) -> str:
    total = counts.sum(dtype=np.float64)
    right = counts.diagonal().sum(dtype=np.float64)
    return f"{right:,.0f} of {total:,.0f} right" + (f": {right / total:.1%}" if total else "")


def _shares(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Of each row, 0..1; a row without counts has 0 everywhere."""
    totals = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    shares: npt.NDArray[np.float64] = counts / np.maximum(totals, 1)
    return shares


def _shade(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """The colours (..., 3) of shares (...)."""
    steps = np.linspace(0, 1, len(_SHADES))
    parts = [np.interp(shares**_LIFT, steps, _SHADES[:, part]) for part in range(3)]
    return np.rint(np.stack(parts, axis=-1)).astype(np.uint8)


def _draw_cells(canvas: Image.Image, plan: _Plan) -> None:
    shades = Image.fromarray(_shade(_shares(plan.counts)))
    cells = shades.resize((plan.side, plan.side), Image.Resampling.NEAREST)
    canvas.paste(cells, (plan.left, plan.top))
    draw = ImageDraw.Draw(canvas)
    if plan.cell >= _LINED_CELL:
        for at in range(plan.cell, plan.side, plan.cell):
            draw.line((plan.left + at, plan.top, plan.left + at, plan.bottom - 1), GRID)
            draw.line((plan.left, plan.top + at, plan.right - 1, plan.top + at), GRID)
    draw.rectangle((plan.left - 1, plan.top - 1, plan.right, plan.bottom), outline=FRAME)


def _write_counts(canvas: Image.Image, plan: _Plan) -> None:
    if len(plan.counts) > _MOST_COUNTED:
        return
    dark = _shades_dark(plan.counts)
    for row, y in enumerate(plan.middles):
        for column, x in enumerate(plan.middles):
            if count := plan.counts[row, column]:
                color = PAPER if dark[row, column] else INK
                write(canvas, (plan.left + x, plan.top + y), f"{count}", _SMALL, "mm", color)


def _shades_dark(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Which cells need light letters."""
    dark: npt.NDArray[np.bool_] = _shade(_shares(counts)) @ _LUMINANCE < 128
    return dark


def _write_sides(canvas: Image.Image, plan: _Plan) -> None:
    middle = plan.side / 2
    y = _MARGIN + _TITLE + 3 * _GAP + _TEXT / 2
    write(canvas, (plan.left + middle, y), "predicted", _TEXT, "mm")
    write_upwards(canvas, (_MARGIN + _TEXT / 2, plan.top + middle), "true", _TEXT, "mm")
    for at, name in zip(plan.middles, plan.names, strict=False):
        write(canvas, (plan.left - _GAP, plan.top + at), name, _SMALL, "rm")
        if plan.turned:
            write_upwards(canvas, (plan.left + at, plan.top - _GAP), name, _SMALL)
        else:
            write(canvas, (plan.left + at, plan.top - _GAP - _SMALL / 2), name, _SMALL, "mm")


def _write_column(canvas: Image.Image, plan: _Plan, right: float, texts: Sequence[str]) -> None:
    """A heading, and a text beside each row."""
    write(canvas, (right, plan.top - _GAP - _SMALL / 2), texts[0], _SMALL, "rm", QUIET_INK)
    for y, text in zip(plan.middles, texts[1:], strict=True):
        write(canvas, (right, plan.top + y), text, _SMALL, "rm", QUIET_INK)


def _write_numbers(canvas: Image.Image, plan: _Plan) -> None:
    """The numbers of some classes, where there is no room for names."""
    numbers = ticks(0, len(plan.counts) - 1, 10, whole=True)
    for number, label in zip(numbers, tick_labels(numbers), strict=True):
        at = (number + 0.5) * plan.cell
        write(canvas, (plan.left - _GAP, plan.top + at), label, _SMALL, "rm", QUIET_INK)
        place = (plan.left + at, plan.top - _GAP - _SMALL / 2)
        write(canvas, place, label, _SMALL, "mm", QUIET_INK)


def _draw_scale(canvas: Image.Image, left: int, top: int) -> None:
    """Which shade is which share."""
    bar = _shade(np.linspace(0, 1, _SCALE_W)[None].repeat(_SCALE_H, axis=0))
    canvas.paste(Image.fromarray(bar), (left, top))
    right, bottom = left + _SCALE_W, top + _SCALE_H
    ImageDraw.Draw(canvas).rectangle((left - 1, top - 1, right, bottom), outline=FRAME)
    y = bottom + 2 * _GAP
    write(canvas, (left, y), "0%", _SMALL, "lm", QUIET_INK)
    write(canvas, ((left + right) / 2, y), "share of the row", _SMALL, "mm", QUIET_INK)
    write(canvas, (right, y), "100%", _SMALL, "rm", QUIET_INK)
