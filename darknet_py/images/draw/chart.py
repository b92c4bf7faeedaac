"""Line charts: losses, rates and accuracies as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.arrays import Bools, Doubles
from darknet_py.images.draw.canvas import (
    PALETTE,
    QUIET_INK,
    Drawing,
    add_axes,
    new_drawing,
    widest,
    write,
)
from darknet_py.images.draw.curves import HUGE, thin
from darknet_py.images.draw.fonts import shorten, text_width

_PADDING = 0.04  # Of what an axis spans, on both sides.
_NEAR_ZERO = 0.35  # Of what an axis spans: a zero that close is shown.


class Axis(NamedTuple):
    """An axis from `low` to `high`, logarithmic if `log`; `whole`: with whole numbers only."""

    low: float
    high: float
    log: bool
    whole: bool

    def ticks(self, most: int) -> list[float]:
        """Round values within the axis, at most about so many."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        if self.log:
            few = math.log10(self.high / self.low) < 2
            locator: Any = LogLocator(subs=(1, 2, 5) if few else (1,), numticks=max(most, 2))
            with np.errstate(over="ignore"):  # beyond the axis, where it spans very much
                found = self._within(locator.tick_values(self.low, self.high))
            if len(found) > 1:
                return found
        locator = MaxNLocator(max(most, 1), steps=[1, 2, 5, 10], integer=self.whole, min_n_ticks=1)
        return self._within(locator.tick_values(self.low, self.high))

    def _within(self, ticks: Iterable[float]) -> list[float]:
        room = 0 if self.log else 1e-9 * (self.high - self.low)
        return [float(tick) for tick in ticks if self.low - room <= tick <= self.high + room]


def fit_axis(values: Doubles, log: bool = False) -> Axis:
    """An axis over all values (finite), with some padding."""
    if not values.size:
        return Axis(1, 10, log, False) if log else Axis(0, 1, log, False)
    low, high = float(values.min()), float(values.max())
    if log:
        factor = (high / low) ** _PADDING if high > low else 10
        return Axis(low / factor, high * factor, log, False)
    whole = bool((values == np.rint(values)).all())
    span = high - low
    if span <= max(1e-12 * max(abs(low), abs(high)), 1 / HUGE):
        half = abs(low) / 2 if abs(low) > 1e-99 else 1.0
        return Axis(low - half, high + half, log, whole)
    room = _PADDING * span
    bottom = 0.0 if 0 < low < _NEAR_ZERO * span else low - room
    top = 0.0 if 0 < -high < _NEAR_ZERO * span else high + room
    return Axis(bottom, top, log, whole)


def tick_label(value: float) -> str:
    """A round number, briefly: 0.001, 200k, 2e-7."""
    size = abs(value)
    if not value:
        return "0"
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if max(unit, 1e4) <= size < 1e12:
            return f"{value / unit:.10g}{suffix}"
    if 1e-4 <= size < 1e4:
        return f"{value:.10g}"
    mantissa, exponent = f"{value:.6e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


MIN_WIDTH, MIN_HEIGHT = 320, 200
"""The smallest panel in which axes, their labels and a line have room."""

_MARGIN = 14
_ROW = 20  # Height of the title, and of each row of the legend.
_TITLE, _TEXT, _SMALL = 16, 13, 12  # Sizes of letters.
_SAMPLE = 28  # Width of a line in the legend,
_TO_NAME, _TO_NEXT = _SAMPLE + 7, 20  # from it to its name, and from there to the next line.
_NAME = 240  # Pixels of a name in the legend, at most.
_TICK_X, _TICK_Y = 80, 34  # Ticks lie at least so far apart.

_PALE, _PALER = 0.35, 0.6  # Of a faint line's colour, that much is white, alone and among others.
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 3)))
_MARKS = ("o", "s", "^", "D")


class Series(NamedTuple):
    """One line of a chart, through the points (x, y) from left to right."""

    name: str
    """In the legend, unless it is empty; shortened where it is long,"""
    x: npt.ArrayLike
    """n numbers."""
    y: npt.ArrayLike
    """n numbers; where one is not finite, the line has a gap."""
    style: int = 0
    """Number of its colour, dashes and marks: equal for lines that belong together."""
    faint: bool = False
    """Thin and paler, behind the others: raw figures behind their smoothed line."""
    dots: bool = False
    """With a mark at every point: figures that come now and then."""
    star: bool = False
    """No line, but a star at each point: what is best."""
    note: str = ""
    """and after the name what is never shortened."""


class Panel(NamedTuple):
    """One pair of axes with its lines."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False
    """Whether x is shown by its logarithm, for all panels with this x_label."""
    log_y: bool = False
    """Whether y is shown by its logarithm: a y not above 0 is a gap then."""
    top: float | None = None
    """The largest y on the axis; larger ones, and NaN, are marks at the upper edge and have a line
    in the legend."""


def draw_chart(panels: Sequence[Panel], width: int = 1000, height: int = 300) -> Drawing:
    """The panels one below the other, each `width` x `height` pixels, higher where the legend needs
    several rows.

    The axes span the data with some padding, and 0 where that is near; panels with the same x_label
    share the x axis. A name is in the legend of the first panel that has it. Raises ValueError for
    no panel, for one smaller than MIN_WIDTH x MIN_HEIGHT, and for a series whose x and y are not
    one-dimensional and of one length.
    """
    if not panels:
        raise ValueError("a chart needs a panel")
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        raise ValueError(f"a panel of {width}x{height} pixels: {MIN_WIDTH}x{MIN_HEIGHT} at least")
    texts = [t for p in panels for t in (*p[:3], *(s.name + s.note for s in p.series))]
    lines = [
        [_line(series, panel.log_x, panel.log_y) for series in panel.series] for panel in panels
    ]
    x_axes = _x_axes(panels, lines)
    plots = []
    named: set[tuple[str, int]] = set()
    for panel, own in zip(panels, lines, strict=True):
        plots.append(_measure(panel, own, x_axes[panel.x_label], named, width, height))
    left = max(plot.left for plot in plots)  # So that their y axes are in line.
    with new_drawing(width, sum(plot.height for plot in plots), texts) as drawing:
        above = 0.0
        for plot in plots:
            _draw(drawing, plot, above, left, width)
            above += plot.height
    return drawing


class _Line(NamedTuple):
    """A series as it is drawn: x finite and rising, y finite or not."""

    series: Series
    x: Doubles
    y: Doubles

    @property
    def finite(self) -> Bools:
        return np.isfinite(self.y)


def _line(series: Series, log_x: bool, log_y: bool) -> _Line:
    x, y = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"series {series.name!r}: x of shape {x.shape}, y of shape {y.shape}")
    placed = (np.abs(x) < HUGE) & ((x > 1 / HUGE) | (not log_x))
    shown = (np.abs(y) < HUGE) & ((y > 1 / HUGE) | (not log_y))
    x, y = x[placed], np.where(shown, y, np.inf)[placed]
    order = np.argsort(x, kind="stable")
    return _Line(series, x[order], y[order])


def _x_axes(panels: Sequence[Panel], lines: Sequence[Sequence[_Line]]) -> dict[str, Axis]:
    """One axis for each x_label."""
    found: dict[str, list[Doubles]] = {}
    for panel, own in zip(panels, lines, strict=True):
        found.setdefault(panel.x_label, []).extend(line.x for line in own)
    logs = {panel.x_label for panel in panels if panel.log_x}
    return {
        label: fit_axis(np.concatenate([np.empty(0), *values]), label in logs)
        for label, values in found.items()
    }


class _Entry(NamedTuple):
    """A line's place in the legend."""

    x: float
    y: float
    name: str
    style: dict[str, Any]


class _Plot(NamedTuple):
    """A panel and its layout, in pixels from its own upper left corner."""

    panel: Panel
    lines: Sequence[_Line]
    title: str
    legend: list[_Entry]
    x_axis: Axis
    y_axis: Axis
    y_ticks: list[float]
    top: float
    bottom: float
    height: float

    @property
    def labels_w(self) -> float:
        return widest(map(tick_label, self.y_ticks), _SMALL)

    @property
    def left(self) -> float:
        """The least margin that holds the labels."""
        return _MARGIN + (_TEXT + 10 if self.panel.y_label else 0) + self.labels_w + 8


def _measure(
    panel: Panel,
    lines: Sequence[_Line],
    x_axis: Axis,
    named: set[tuple[str, int]],
    width: int,
    height: int,
) -> _Plot:
    title = shorten(panel.title, width - 2 * _MARGIN, _TITLE)
    entries = _entries(panel, lines, named)
    legend, rows = _place_legend(entries, text_width(title, _TITLE), width)
    height += (rows - 1) * _ROW
    top = _MARGIN + rows * _ROW + 12
    bottom = height - (50 if panel.x_label else 30)
    shown = np.concatenate([np.empty(0), *(line.y[line.finite] for line in lines)])
    if panel.top is not None:
        shown = shown[shown <= panel.top]
    y_axis = fit_axis(shown, panel.log_y)
    ticks = y_axis.ticks(max(2, int(bottom - top) // _TICK_Y))
    return _Plot(panel, lines, title, legend, x_axis, y_axis, ticks, top, bottom, height)


def _entries(
    panel: Panel, lines: Sequence[_Line], named: set[tuple[str, int]]
) -> list[tuple[str, dict[str, Any]]]:
    """The legend's names and styles, without those of the panels above."""
    entries = []
    for line in lines:
        name, note = line.series.name, line.series.note
        key = (name + note, line.series.style)
        if name + note and key not in named:
            short = shorten(name, _NAME, _SMALL)
            entries.append((", ".join(filter(None, [short, note])), _style(line.series)))
            named.add(key)
    beyond = np.concatenate([np.empty(0), *(line.y[_beyond(panel, line)] for line in lines)])
    if beyond.size:
        most = tick_label(float(f"{beyond.max():.3g}"))
        entries.append((f"beyond: up to {most}", _edge_style("^", QUIET_INK)))
    lost = max((int((~line.finite).sum()) for line in lines if panel.top is not None), default=0)
    if lost:
        entries.append((f"no number ({lost}×)", _edge_style("x", QUIET_INK)))
    return entries


def _beyond(panel: Panel, line: _Line) -> Bools:
    """Which points lie above the axis."""
    if panel.top is None:
        return np.zeros(len(line.y), np.bool_)
    return line.finite & (line.y > panel.top)


def _place_legend(
    entries: Sequence[tuple[str, dict[str, Any]]], title_w: float, width: int
) -> tuple[list[_Entry], int]:
    """The legend above the axes, beside the title if it fits, else in rows below; and the number of
    rows with the title's."""
    room = width - 2 * _MARGIN
    names = [shorten(name, room - _TO_NAME, _SMALL) for name, _ in entries]
    steps = [_TO_NAME + text_width(name, _SMALL) + _TO_NEXT for name in names]
    beside = sum(steps) - _TO_NEXT <= room - (title_w + 2 * _TO_NEXT if title_w else 0)
    x = width - _MARGIN - sum(steps) + _TO_NEXT if beside else float(_MARGIN)
    y = _MARGIN + _ROW / 2 + (_ROW if title_w and not beside else 0)
    placed = []
    for name, step, (_, style) in zip(names, steps, entries, strict=True):
        if x > _MARGIN and x + step - _TO_NEXT > width - _MARGIN:
            x, y = _MARGIN, y + _ROW
        placed.append(_Entry(x, y, name, style))
        x += step
    return placed, round((y - _MARGIN) / _ROW + 0.5)


def _style(series: Series, pale: float = _PALE) -> dict[str, Any]:
    color = PALETTE[series.style % len(PALETTE)]
    if series.faint:
        return {"color": _lighten(color, pale), "linewidth": 1.1}
    if series.star:
        edge = {"markeredgecolor": "black", "markeredgewidth": 0.9}
        return {"color": color, "linestyle": "none", "marker": "*", "markersize": 15, **edge}
    style = {"color": color, "linewidth": 2.0}
    if not series.dots:
        return {**style, "linestyle": _DASHES[series.style % len(_DASHES)]}
    mark = {"marker": _MARKS[series.style % len(_MARKS)], "markersize": 7}
    return {**style, **mark, "markeredgecolor": "white", "markeredgewidth": 0.9}


def _edge_style(mark: str, color: str) -> dict[str, Any]:
    return {"color": color, "linestyle": "none", "marker": mark, "markersize": 7}


def _lighten(color: str, share: float) -> str:
    """The colour #rrggbb, with `share` (0..1) of it replaced by white."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


def _draw(drawing: Drawing, plot: _Plot, above: float, left: float, width: int) -> None:
    panel, (x_axis, y_axis) = plot.panel, (plot.x_axis, plot.y_axis)
    right = width - _MARGIN - 12
    axes = add_axes(drawing, left, above + plot.top, right - left, plot.bottom - plot.top)
    if x_axis.log:
        axes.set_xscale("log")
    if y_axis.log:
        axes.set_yscale("log")
    axes.set_xlim(x_axis.low, x_axis.high)
    axes.set_ylim(y_axis.low, y_axis.high)
    _set_ticks(axes, plot, right - left)
    for line in plot.lines:
        _draw_line(axes, plot, line, int(right - left))
    write(drawing, _MARGIN, above + _MARGIN + _ROW / 2, plot.title, _TITLE)
    _write_legend(drawing, plot.legend, above)
    middle = (left + right) / 2, above + (plot.top + plot.bottom) / 2
    if not any(line.finite.any() for line in plot.lines):
        write(drawing, *middle, "nothing to show yet", _TEXT, "mm", QUIET_INK)
    label = shorten(panel.x_label, right - left, _TEXT)
    write(drawing, middle[0], above + plot.bottom + 34, label, _TEXT, "mm")
    label = shorten(panel.y_label, plot.bottom - plot.top, _TEXT)
    x = left - plot.labels_w - 16 - _TEXT / 2
    write(drawing, x, middle[1], label, _TEXT, "mm", upwards=True)


def _set_ticks(axes: Any, plot: _Plot, width: float) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    most = max(2, int(width) // _TICK_X)
    ticks = plot.x_axis.ticks(most)
    while most > 1 and (widest(map(tick_label, ticks), _SMALL) + 14) * len(ticks) > width:
        most -= 1
        ticks = plot.x_axis.ticks(most)
    # not by set_xticks, which makes them all several times
    for axis, chosen in ((axes.xaxis, ticks), (axes.yaxis, plot.y_ticks)):
        axis.set_major_locator(FixedLocator(chosen))
        axis.set_major_formatter(FixedFormatter([tick_label(tick) for tick in chosen]))
        axis.set_minor_locator(NullLocator())


def _draw_line(axes: Any, plot: _Plot, line: _Line, width: int) -> None:
    faint = sum(series.faint for series in plot.panel.series)
    style = _style(line.series, _PALE if faint == 1 else _PALER)
    order = 4 if line.series.star else 1 if line.series.faint else 3 if line.series.dots else 2
    low, high = plot.y_axis.low, plot.y_axis.high
    # clipped far outside the axes, so that nothing overflows in matplotlib
    far = (low / 9, high * 9) if plot.y_axis.log else (low - 9 * (high - low), 10 * high - 9 * low)
    x, y = thin(line.x, line.y, width)
    y = np.clip(np.where(np.isfinite(y), y, np.nan), *far)
    axes.plot(x, y, zorder=order, **style)
    if "marker" not in style:
        alone = _alone(np.isfinite(y))
        if alone.any():
            dot = {"color": style["color"], "linestyle": "none", "marker": "o", "markersize": 4}
            axes.plot(x[alone], y[alone], zorder=order, **dot)
    if plot.panel.top is None or line.series.star:
        return
    upper = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 5}
    for mark, where in (("^", _beyond(plot.panel, line)), ("x", ~line.finite)):
        if (at := _apart(line.x[where], plot.x_axis)).size:
            style = _edge_style(mark, PALETTE[line.series.style % len(PALETTE)])
            axes.plot(at, np.ones_like(at), **style, **upper)


def _alone(finite: Bools) -> Bools:
    """Which points have no neighbour to draw a line to."""
    padded = np.pad(finite, 1)
    alone: Bools = finite & ~padded[:-2] & ~padded[2:]
    return alone


def _apart(x: Doubles, axis: Axis) -> Doubles:
    """The marks at these places that do not overlap."""
    if axis.log:
        places = np.log(x / axis.low) / math.log(axis.high / axis.low)
    else:
        places = (x - axis.low) / (axis.high - axis.low)
    _, first = np.unique(np.floor(places * 100), return_index=True)
    return x[first]


def _write_legend(drawing: Drawing, legend: Sequence[_Entry], above: float) -> None:
    from matplotlib.lines import Line2D

    w, h = drawing.figure.get_size_inches() * drawing.figure.dpi
    for entry in legend:
        y = above + entry.y
        if entry.style.get("linestyle") == "none":
            xs = [entry.x + _SAMPLE / 2]
        else:
            xs = [entry.x, entry.x + _SAMPLE / 2, entry.x + _SAMPLE]
        places = [x / w for x in xs]
        line = Line2D(places, [1 - y / h] * len(xs), markevery=[len(xs) // 2], **entry.style)
        drawing.figure.add_artist(line)
        write(drawing, entry.x + _TO_NAME, y, entry.name, _SMALL)
