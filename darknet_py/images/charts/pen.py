"""How the lines of a chart are told apart, and how they come onto the canvas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from darknet_py.images.charts.curve import Path, to_dashes
from darknet_py.images.charts.drawing import PALETTE, PAPER, Color, lighten

SAMPLE_WIDTH = 30
"""Pixels of a sample in the legend."""

_FINE = 5  # Lines are drawn that many times larger, then shrunk: that smooths their edges.
_WIDTH, _FAINT_WIDTH = 2.2, 1.0  # Odd numbers when enlarged: Pillow puts even ones off centre.
_PALE = 0.6
_MARK = 4.0  # Half as wide, in pixels, as is its edge.
_EDGE = 1.0
_DASHES: tuple[tuple[float, ...], ...] = ((), (9, 4), (3, 3), (12, 4, 3, 4), (20, 5))

# Corners around a middle, in halves of a mark's width; a circle has none.
_MARKS: tuple[tuple[tuple[float, float], ...], ...] = (
    (),
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
)


class Style(NamedTuple):
    """What a line looks like."""

    color: Color
    width: float
    dashes: tuple[float, ...]
    mark: int | None
    """Which of the marks each point gets."""


def styles(faint: Sequence[bool], dots: Sequence[bool]) -> list[Style]:
    """A look for each line of a panel.

    Colours come in turn; without them, dashes tell plain lines apart and marks the dotted ones.
    A faint line is pale, thin and whole, in the colour of the next that is not faint.
    """
    found = []
    colors = plain = dotted = 0
    for pale, dot in zip(faint, dots, strict=True):
        color = PALETTE[colors % len(PALETTE)]
        mark = dotted % len(_MARKS) if dot else None
        if pale:
            found.append(Style(lighten(color, _PALE), _FAINT_WIDTH, (), mark))
            continue
        dashes = () if dot else _DASHES[plain % len(_DASHES)]
        found.append(Style(color, _WIDTH, dashes, mark))
        colors, plain, dotted = colors + 1, plain + (not dot), dotted + dot
    return found


@contextmanager
def pen(canvas: Image.Image) -> Iterator[Pen]:
    """Something to draw lines with, whose edges are smooth once it is put away."""
    size = (canvas.width * _FINE, canvas.height * _FINE)
    fine = canvas.resize(size, Image.Resampling.NEAREST)
    yield Pen(fine)
    canvas.paste(fine.reduce(_FINE))  # A mean: what was there before comes back as it was.


class Pen:
    """Draws on the enlarged canvas; places are in pixels of the true one."""

    def __init__(self, fine: Image.Image) -> None:
        self._draw = ImageDraw.Draw(fine)

    def path(self, path: Path, style: Style) -> None:
        """A line through the points, or a point alone."""
        for dash in to_dashes(path, style.dashes):
            self._stroke(_enlarge(dash), style.color, round(style.width * _FINE))
        if style.mark is not None:
            for point in path:
                self._mark(point, style.mark, style.color)

    def sample(self, x: float, y: float, style: Style) -> None:
        """A piece of line for the legend, from x on."""
        ends = np.array([(x, y), (x + SAMPLE_WIDTH, y)])
        self.path(ends, Style(style.color, style.width, style.dashes, None))
        if style.mark is not None:
            self._mark(ends.mean(axis=0), style.mark, style.color)

    def _stroke(self, points: Path, color: Color, width: int) -> None:
        if len(points) == 1:  # Between two gaps.
            self._circle(points[0], width * 1.2, color)
        else:
            self._draw.line(points.ravel().tolist(), color, width, "curve")

    def _mark(self, point: Path, mark: int, color: Color) -> None:
        # A white edge keeps marks apart from lines and from each other.
        for half, paint in ((_MARK + _EDGE, PAPER), (_MARK, color)):
            if corners := _MARKS[mark]:
                outline = _enlarge(point + half * np.array(corners))
                self._draw.polygon(outline.ravel().tolist(), paint)
            else:
                self._circle(_enlarge(point), half * _FINE, paint)

    def _circle(self, middle: Path, radius: float, color: Color) -> None:
        self._draw.ellipse([*(middle - radius).tolist(), *(middle + radius).tolist()], color)


def _enlarge(points: Path) -> Path:
    return points * _FINE - 0.5  # Pillow's 0 is the middle of the first pixel, not its edge.
