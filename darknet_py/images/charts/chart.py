"""Line charts: losses, rates and accuracies as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from darknet_py.images.charts.axis import Axis, fit_axis
from darknet_py.images.charts.curve import to_paths
from darknet_py.images.charts.drawing import (
    FRAME,
    GRID,
    QUIET_INK,
    new_canvas,
    shorten,
    text_width,
    to_picture,
    write,
    write_upwards,
)
from darknet_py.images.charts.pen import SAMPLE_WIDTH, Style, pen, styles

MIN_WIDTH, MIN_HEIGHT = 320, 200
"""The smallest panel in which axes, their labels and a line have room."""

_MARGIN = 14
_ROW = 20  # Height of the title, and of each row of the legend.
_TITLE, _TEXT, _SMALL = 17, 14, 13  # Sizes of letters.
_TO_NAME = SAMPLE_WIDTH + 6  # In the legend, from a line's sample to its name,
_TO_NEXT = 22  # and from there to the next sample.
_LEGEND_SHARE = 0.35  # Of a panel's height, at most.
_TO_LABEL = 8  # From an axis.
_GRID_X, _GRID_Y = 64, 44  # Ticks lie at least so far apart.


class Series(NamedTuple):
    """One line of a chart, through the points (x, y) from left to right."""

    name: str
    """Stands in the legend, unless it is empty."""
    x: npt.ArrayLike
    """n numbers."""
    y: npt.ArrayLike
    """n numbers; where one is not finite, the line has a gap."""
    faint: bool = False
    """Thin and pale, behind the others, in the colour of the next series that is not faint:
    raw figures behind their smoothed line."""
    dots: bool = False
    """With a mark at every point: figures that come now and then."""


class Panel(NamedTuple):
    """One pair of axes with its lines."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log_y: bool = False
    """Whether y is shown by its logarithm: a y not above 0 is a gap then."""
    log_x: bool = False
    """The same of x, for all panels with this x_label."""


def draw_chart(
    panels: Sequence[Panel], width: int = 1000, height: int = 400
) -> npt.NDArray[np.float32]:
    """The panels one below the other, each `width` x `height` pixels.

    Returns float32 RGB of shape (len(panels) * height, width, 3), values 0..1. The axes span
    the figures, a little more, and 0 where that is near; panels with the same x_label have the
    same x axis. A panel without figures says so. Raises ValueError for no panel, for one smaller
    than MIN_WIDTH x MIN_HEIGHT, and for a series whose x and y are not rows of one length.
    """
    if not panels:
        raise ValueError("a chart needs a panel")
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        raise ValueError(f"a panel of {width}x{height} pixels: {MIN_WIDTH}x{MIN_HEIGHT} at least")
    lines = [_lines(panel) for panel in panels]
    x_axes = _x_axes(panels, lines)
    plots = [
        _measure(panel, own, x_axis, width, height)
        for panel, own, x_axis in zip(panels, lines, x_axes, strict=True)
    ]
    left = max(plot.left for plot in plots)  # So that their y axes are in line.
    return np.concatenate([_draw(plot, left, width, height) for plot in plots])


_Floats = npt.NDArray[np.float64]


class _Line(NamedTuple):
    """A series as it is drawn."""

    name: str
    style: Style
    x: _Floats
    y: _Floats

    def shown(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self.x) & np.isfinite(self.y)


def _lines(panel: Panel) -> list[_Line]:
    """The panel's lines in the order of drawing: what is faint lies behind."""
    series = panel.series
    looks = styles([one.faint for one in series], [one.dots for one in series])
    pairs = zip(series, looks, strict=True)
    lines = [_line(one, look, panel.log_x, panel.log_y) for one, look in pairs]
    return sorted(lines, key=lambda line: line.style.width)


def _line(series: Series, style: Style, log_x: bool, log_y: bool) -> _Line:
    x = np.asarray(series.x, dtype=np.float64)
    y = np.asarray(series.y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"series {series.name!r}: x of shape {x.shape}, y of shape {y.shape}")
    return _Line(series.name, style, _above_0(x) if log_x else x, _above_0(y) if log_y else y)


def _above_0(values: _Floats) -> _Floats:
    return np.where(values > 0, values, np.nan)


def _x_axes(panels: Sequence[Panel], lines: list[list[_Line]]) -> list[Axis]:
    """One for each panel, the same for all over the same quantity."""
    found: dict[str, list[_Floats]] = {}
    for panel, own in zip(panels, lines, strict=True):
        found.setdefault(panel.x_label, []).extend(line.x[line.shown()] for line in own)
    logs = {panel.x_label for panel in panels if panel.log_x}
    axes = {label: fit_axis(_joined(values), label in logs) for label, values in found.items()}
    return [axes[panel.x_label] for panel in panels]


def _joined(values: Sequence[_Floats]) -> _Floats:
    return np.concatenate([np.empty(0), *values])


class _Entry(NamedTuple):
    """A line's place in the legend."""

    x: float
    y: float
    name: str


class _Plot(NamedTuple):
    """A panel and where its parts go, but for the left edge of its axes."""

    panel: Panel
    lines: list[_Line]
    title: str
    legend: list[_Entry]
    x_axis: Axis
    y_axis: Axis
    y_ticks: list[float]
    y_labels: list[str]
    y_labels_w: int
    top: int
    bottom: int

    @property
    def left(self) -> int:
        """The least that leaves room for what stands there."""
        y_label = _TEXT + 2 * _TO_LABEL if self.panel.y_label else 0
        return _MARGIN + y_label + self.y_labels_w + _TO_LABEL


def _measure(panel: Panel, lines: list[_Line], x_axis: Axis, width: int, height: int) -> _Plot:
    title = shorten(panel.title, width - 2 * _MARGIN, _TITLE)
    legend, top = _legend(title, [line.name for line in lines], width, height)
    bottom = height - (54 if panel.x_label else 34)
    y_axis = fit_axis(_joined([line.y[line.shown()] for line in lines]), panel.log_y)
    y_ticks = y_axis.ticks(max(3, (bottom - top) // _GRID_Y))
    y_labels = y_axis.labels(y_ticks)
    y_labels_w = _widest(y_labels)
    return _Plot(
        panel, lines, title, legend, x_axis, y_axis, y_ticks, y_labels, y_labels_w, top, bottom
    )


def _widest(labels: list[str]) -> int:
    return max((text_width(label, _SMALL) for label in labels), default=0)


def _legend(title: str, names: list[str], width: int, height: int) -> tuple[list[_Entry], int]:
    """Where it goes: above the axes, where it hides no line. And where the axes may begin.

    Beside the title if it fits there, else in rows below. What would take more than its share
    of the height is left out.
    """
    room = width - 2 * _MARGIN
    names = [shorten(name, room - _TO_NAME, _SMALL) for name in names]
    steps = [_TO_NAME + text_width(name, _SMALL) + _TO_NEXT if name else 0 for name in names]
    title_w = text_width(title, _TITLE)
    y = _MARGIN + _ROW / 2
    one_row = sum(steps) - _TO_NEXT <= room - (title_w + 2 * _TO_NEXT if title_w else 0)
    x: float = max(_MARGIN, width - _MARGIN - sum(steps) + _TO_NEXT) if one_row else _MARGIN
    if title_w and not one_row:
        y += _ROW + 4
    entries = []
    for name, step in zip(names, steps, strict=True):
        if x > _MARGIN and x + step - _TO_NEXT > width - _MARGIN:
            x, y = _MARGIN, y + _ROW
        if y > _LEGEND_SHARE * height:
            y -= _ROW
            break
        entries.append(_Entry(x, y, name))
        x += step
    return entries, round(y + _ROW / 2 + 12) if title_w or any(steps) else _MARGIN


class _Box(NamedTuple):
    """The pixels of the axes."""

    left: int
    top: int
    right: int
    bottom: int

    def x(self, axis: Axis, values: npt.ArrayLike) -> _Floats:
        shares = axis.shares(np.asarray(values, np.float64))
        return self.left + 0.5 + shares * (self.right - self.left)

    def y(self, axis: Axis, values: npt.ArrayLike) -> _Floats:
        shares = axis.shares(np.asarray(values, np.float64))
        return self.bottom + 0.5 - shares * (self.bottom - self.top)


def _draw(plot: _Plot, left: int, width: int, height: int) -> npt.NDArray[np.float32]:
    box = _Box(left, plot.top, width - _MARGIN - 12, plot.bottom)
    x_ticks, x_labels = _x_ticks(plot.x_axis, box.right - box.left)
    canvas = new_canvas(width, height)
    _draw_grid(canvas, plot, box, x_ticks)
    with pen(canvas) as fine:
        for line in plot.lines:
            for path in to_paths(box.x(plot.x_axis, line.x), box.y(plot.y_axis, line.y)):
                fine.path(path, line.style)
        for entry, line in zip(plot.legend, plot.lines, strict=False):
            if entry.name:
                fine.sample(entry.x, entry.y, line.style)
    _write_head(canvas, plot)
    _write_x(canvas, plot, box, x_ticks, x_labels)
    _write_y(canvas, plot, box)
    if not any(line.shown().any() for line in plot.lines):
        middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        write(canvas, middle, "nothing to show yet", _TEXT, "mm", QUIET_INK)
    return to_picture(canvas)


def _x_ticks(axis: Axis, width: int) -> tuple[list[float], list[str]]:
    """As many as stand side by side."""
    most = max(2, width // _GRID_X)
    while True:
        x_ticks = axis.ticks(most)
        labels = axis.labels(x_ticks)
        if most == 2 or (_widest(labels) + 2 * _TO_LABEL) * len(labels) <= width:
            return x_ticks, labels
        most -= 1


def _draw_grid(canvas: Image.Image, plot: _Plot, box: _Box, x_ticks: list[float]) -> None:
    draw = ImageDraw.Draw(canvas)
    for x in np.floor(box.x(plot.x_axis, x_ticks)).tolist():
        draw.line((x, box.top, x, box.bottom), GRID)
    for y in np.floor(box.y(plot.y_axis, plot.y_ticks)).tolist():
        draw.line((box.left, y, box.right, y), GRID)
    draw.line((box.left, box.top, box.left, box.bottom), FRAME)
    draw.line((box.left, box.bottom, box.right, box.bottom), FRAME)


def _write_head(canvas: Image.Image, plot: _Plot) -> None:
    write(canvas, (_MARGIN, _MARGIN + _ROW / 2), plot.title, _TITLE)
    for entry in plot.legend:
        write(canvas, (entry.x + _TO_NAME, entry.y), entry.name, _SMALL)


def _write_x(
    canvas: Image.Image, plot: _Plot, box: _Box, x_ticks: list[float], labels: list[str]
) -> None:
    for x, label in zip(box.x(plot.x_axis, x_ticks), labels, strict=True):
        x = min(x, canvas.width - _TO_LABEL - text_width(label, _SMALL) / 2)
        write(canvas, (x, box.bottom + 13), label, _SMALL, "mm", QUIET_INK)
    x_label = shorten(plot.panel.x_label, box.right - box.left, _TEXT)
    write(canvas, ((box.left + box.right) / 2, box.bottom + 35), x_label, _TEXT, "mm")


def _write_y(canvas: Image.Image, plot: _Plot, box: _Box) -> None:
    for y, label in zip(box.y(plot.y_axis, plot.y_ticks), plot.y_labels, strict=True):
        write(canvas, (box.left - _TO_LABEL, y), label, _SMALL, "rm", QUIET_INK)
    y_label = shorten(plot.panel.y_label, box.bottom - box.top, _TEXT)
    x = box.left - plot.y_labels_w - 2.5 * _TO_LABEL - _TEXT / 2
    write_upwards(canvas, (x, (box.top + box.bottom) / 2), y_label, _TEXT, "mm")
