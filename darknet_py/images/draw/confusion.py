"""The confusion matrix as a picture: the whole matrix, or its worst pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.arrays import Doubles
from darknet_py.images.draw.canvas import (
    FRAME,
    INK,
    PALETTE,
    QUIET_INK,
    Drawing,
    add_axes,
    new_drawing,
    widest,
    write,
)
from darknet_py.images.draw.fonts import drawable_names, shorten, text_width

_MARGIN, _GAP = 16, 6
_TITLE, _TEXT, _SMALL = 17, 14, 12  # Sizes of letters.
_PAIRS, _WEAKEST = 30, 20  # Rows of the lists.
_WIDTH, _LIST_ROW = 1000, 24
_LIST_NAME = 240  # Pixels of a name in a list, at most.

Counts = npt.NDArray[np.integer]
"""Of shape (k, k): rows are true classes, columns predicted ones."""


def row_shares(counts: Counts) -> Doubles:
    """The matrix with each row normalised to sum 1; a row without counts is 0."""
    totals = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    shares: Doubles = counts / np.maximum(totals, 1)
    return shares


def percent(share: float) -> str:
    """In two digits: 0.5%, 12%; never 0% for more than nothing or 100% for less than all."""
    if share < 0.095:
        return f"{max(100 * share, 0.1):.1f}%"
    return "100%" if share == 1 else f"{min(round(100 * share), 99)}%"


class Pair(NamedTuple):
    """How many pictures of one class are predicted as another; share: of the true class's."""

    truth: int
    guess: int
    pictures: int
    share: float


def confused_pairs(matrix: Counts, most: int = _PAIRS) -> list[Pair]:
    """The pairs of classes that are confused most, by count, then by share.

    `matrix`: counts of shape (k, k), rows true classes, columns guesses; nothing is below 0.
    """
    wrong = np.array(matrix, np.int64)
    np.fill_diagonal(wrong, 0)
    shares = row_shares(matrix)
    truth, guess = np.nonzero(wrong)
    order = np.lexsort((guess, truth, -shares[truth, guess], -wrong[truth, guess]))[:most]
    return [
        Pair(int(t), int(g), int(wrong[t, g]), float(shares[t, g]))
        for t, g in zip(truth[order], guess[order], strict=True)
    ]


class _Bar(NamedTuple):
    """A row of a list. length: 0..1."""

    name: str
    length: float
    text: str


def draw_lists(counts: Counts, labels: Sequence[str], title: str, foot: str) -> Drawing:
    """The most confused pairs and the classes that are least often right, as bars."""
    pairs, weakest = _pair_bars(counts, labels), _weakest_bars(counts, labels)
    rows = len(pairs) + len(weakest) + 2 * 2 + bool(foot)
    title = f"{title}, {len(labels):,} classes"
    height = 2 * _MARGIN + _TITLE + (rows + 0.5) * _LIST_ROW
    with new_drawing(_WIDTH, height, [*(bar.name for bar in [*pairs, *weakest]), title]) as drawing:
        write(drawing, _MARGIN, _MARGIN + _TITLE / 2, title, _TITLE)
        y = _MARGIN + _TITLE + 0.5 * _LIST_ROW
        y = _write_list(drawing, y, "What is confused most: true class → predicted class", pairs)
        _write_list(drawing, y, "The classes that are least often right", weakest)
        write(drawing, _MARGIN, height - _MARGIN, foot, _SMALL, color=QUIET_INK)
    return drawing


def _short(name: str) -> str:
    return shorten(name, _LIST_NAME, _SMALL)


def _pair_bars(counts: Counts, names: Sequence[str]) -> list[_Bar]:
    totals = counts.sum(axis=1, dtype=np.float64)
    return [
        _Bar(
            f"{_short(names[pair.truth])} → {_short(names[pair.guess])}",
            pair.share,
            f"{pair.pictures:,} of {totals[pair.truth]:,.0f}, {percent(pair.share)}",
        )
        for pair in confused_pairs(counts)
    ]


def _weakest_bars(counts: Counts, names: Sequence[str]) -> list[_Bar]:
    """The classes of the lowest recall, below 1."""
    totals = counts.sum(axis=1, dtype=np.float64)
    rights = counts.diagonal().astype(np.float64)
    shares = rights / np.maximum(totals, 1)
    order = np.lexsort((-totals, shares))
    chosen = [k for k in order.tolist() if totals[k] and shares[k] < 1][:_WEAKEST]
    return [
        _Bar(
            _short(names[k]),
            shares[k],
            f"{rights[k]:,.0f} of {totals[k]:,.0f}" + (f", {percent(shares[k])}" * bool(rights[k])),
        )
        for k in chosen
    ]


def _write_list(drawing: Drawing, top: float, title: str, bars: Sequence[_Bar]) -> float:
    """A heading and the rows below it; where the next list may begin."""
    write(drawing, _MARGIN, top + _LIST_ROW / 2, title if bars else "No mistakes", _TEXT)
    top += _LIST_ROW
    names_w = widest((bar.name for bar in bars), _SMALL)
    left = _MARGIN + names_w + 2 * _GAP
    room = _WIDTH - _MARGIN - left - widest((bar.text for bar in bars), _SMALL) - 2 * _GAP
    if bars:
        axes = add_axes(drawing, left, top, room, len(bars) * _LIST_ROW)
        lengths = [bar.length for bar in bars]
        axes.barh(range(len(bars)), lengths, 0.6, color=PALETTE[0])
        axes.set(xlim=(0, 1), ylim=(len(bars) - 0.5, -0.5), xticks=[], yticks=[])
        axes.spines[["bottom"]].set_visible(False)
    for row, bar in enumerate(bars):
        y = top + (row + 0.5) * _LIST_ROW
        write(drawing, _MARGIN + names_w, y, bar.name, _SMALL, "rm")
        x = left + bar.length * room + _GAP
        write(drawing, x, y, bar.text, _SMALL, "lm", QUIET_INK)
    return top + (len(bars) + 1) * _LIST_ROW


MOST_CELLS = 100
"""Classes whose matrix is drawn; of more, the most confused pairs are."""

_SMALLEST_CELL = 15
_NUMBERED_CELL = 24  # The smallest whose count is written in it,
_SHARED_CELL = 46  # and that has room for its share of the row, too.
_NAME = 190  # Pixels of a name, at most.
_SCALE_W, _SCALE_H = 220, 12
_RIGHT, _TOTAL = "right", "pictures"
_NAMELESS = "class N: no font here has the letters of its name"


# From white to a dark blue, with enough contrast for black text, then for white text.
_SHADES = np.array([(255, 255, 255), (158, 202, 225), (49, 130, 189), (8, 48, 107)], np.float64)
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_GAMMA = 0.45  # A share's exponent, so that 2% are visible.


def draw_confusion(matrix: Counts, names: Sequence[str]) -> Drawing:
    """The confusion matrix of k classes with these `names`: counts of shape (k, k), k at least 1.

    Up to MOST_CELLS classes: a row for each true class, a column for each predicted one, cells as
    dark as their share of the row. Cells of up to 40 classes have their counts in them (0 left
    blank), large ones their shares too; each row has its recall and its total. Of more classes:
    the most confused pairs and the classes of the lowest recall, as bars. Raises ValueError for
    another shape, counts below 0 or another number of names.
    """
    counts = np.asarray(matrix)
    k = counts.shape[0] if counts.ndim else 0
    if counts.shape != (k, k) or not k or counts.dtype.kind not in "iu":
        raise ValueError(f"{counts.dtype} of shape {counts.shape} is not a matrix (k, k) of counts")
    if (counts < 0).any():
        raise ValueError("a count is below 0")
    if len(names) != k:
        raise ValueError(f"{len(names)} names for {k} classes")
    labels = drawable_names(names)
    numbered = [k for k, label in enumerate(labels) if label == f"class {k}" != names[k]]
    foot = _NAMELESS if numbered else ""
    if k > MOST_CELLS:
        return draw_lists(counts, labels, _title(counts), foot)
    return _draw_cells(counts, labels, foot)


def _title(counts: Counts) -> str:
    total = counts.sum(dtype=np.float64)
    right = counts.diagonal().sum(dtype=np.float64)
    return f"{right:,.0f} of {total:,.0f} right" + (f": {right / total:.1%}" if total else "")


class _Plan(NamedTuple):
    """The layout, in pixels."""

    counts: Counts
    names: list[str]
    letters: float
    """Font size of names,"""
    digits: float
    """and of counts."""
    turned: bool
    """Whether the names above read upwards."""
    cell: float
    left: float
    top: float
    rights: list[str]
    """Of each row the share that is right,"""
    totals: list[str]
    """and how many it has."""

    @property
    def side(self) -> float:
        return self.cell * len(self.counts)

    @property
    def right(self) -> float:
        return self.left + self.side

    @property
    def bottom(self) -> float:
        return self.top + self.side

    @property
    def middles(self) -> list[float]:
        """Centres of the cells, from an edge of the matrix."""
        return [(i + 0.5) * self.cell for i in range(len(self.counts))]


def _measure(counts: Counts, labels: Sequence[str]) -> _Plan:
    k = len(counts)
    cell: float = max(_SMALLEST_CELL, min(140, 640 // k if k <= 12 else min(52, 1040 // k)))
    digits = min(20.0, max(10.0, cell / 4))
    if cell >= _NUMBERED_CELL:
        cell = max(cell, round(text_width(f"{counts.max()}", digits) + 2 * _GAP))
    letters = _SMALL if cell > _SMALLEST_CELL else 11
    names = [shorten(name, _NAME, letters) for name in labels]
    longest = widest(names, letters)
    turned = longest > cell - _GAP
    left = _MARGIN + _TEXT + 2 * _GAP + longest + _GAP
    top = _MARGIN + _TITLE + 3 * _GAP + _TEXT + 2 * _GAP + (longest if turned else letters) + _GAP
    totals = counts.sum(axis=1, dtype=np.float64).tolist()
    rows = zip(counts.diagonal().tolist(), totals, strict=True)
    rights = [f"{right / total:.1%}" if total else "" for right, total in rows]
    shown = [f"{total:,.0f}" for total in totals]
    left, top = round(left), round(top)
    return _Plan(counts, names, letters, digits, turned, cell, left, top, rights, shown)


def _draw_cells(counts: Counts, labels: Sequence[str], foot: str) -> Drawing:
    plan = _measure(counts, labels)
    title = _title(counts)
    first = plan.right + 2 * _GAP + widest([_RIGHT, *plan.rights], _SMALL)
    second = first + 3 * _GAP + widest([_TOTAL, *plan.totals], _SMALL)
    texts_w = max(text_width(title, _TITLE), text_width(foot, _SMALL))
    right = max(second, plan.left + _SCALE_W, _MARGIN + texts_w)
    height = plan.bottom + 7 * _GAP + _SCALE_H + _MARGIN + (3 * _GAP if foot else 0)
    with new_drawing(round(right) + _MARGIN, height, [*labels, title]) as drawing:
        write(drawing, _MARGIN, _MARGIN + _TITLE / 2, title, _TITLE)
        _fill_cells(drawing, plan)
        if plan.cell >= _NUMBERED_CELL:
            _write_counts(drawing, plan)
        _write_sides(drawing, plan)
        _write_column(drawing, plan, first, [_RIGHT, *plan.rights])
        _write_column(drawing, plan, second, [_TOTAL, *plan.totals])
        _draw_scale(drawing, plan.left, plan.bottom + 4 * _GAP)
        write(drawing, _MARGIN, height - _MARGIN, foot, _SMALL, color=QUIET_INK)
    return drawing


def _shade(shares: Doubles) -> Doubles:
    """The colours (..., 3), 0..255, of shares (...)."""
    steps = np.linspace(0, 1, len(_SHADES))
    parts = [np.interp(shares**_GAMMA, steps, _SHADES[:, part]) for part in range(3)]
    return np.rint(np.stack(parts, axis=-1))


def _frame(axes: Any) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=FRAME, linewidth=1)


def _fill_cells(drawing: Drawing, plan: _Plan) -> None:
    axes = add_axes(drawing, plan.left, plan.top, plan.side, plan.side)
    k = len(plan.counts)
    colors = _shade(row_shares(plan.counts)) / 255
    edges = np.arange(k + 1)
    axes.pcolormesh(edges, edges, colors, edgecolors="#e4e4e4", linewidth=0.8, antialiased=False)
    axes.set(xlim=(0, k), ylim=(k, 0))
    _frame(axes)


def _write_counts(drawing: Drawing, plan: _Plan) -> None:
    shares = row_shares(plan.counts)
    dark = _shade(shares) @ _LUMINANCE < 128
    size = plan.digits
    shared = plan.cell >= _SHARED_CELL
    for row, column in np.argwhere(plan.counts > 0).tolist():
        x, y = plan.left + plan.middles[column], plan.top + plan.middles[row]
        color = "white" if dark[row, column] else INK
        text = f"{plan.counts[row, column]}"
        write(drawing, x, y - shared * 0.55 * size, text, size, "mm", color)
        if shared:
            share = percent(shares[row, column])
            write(drawing, x, y + 0.75 * size, share, max(9, 0.65 * size), "mm", color)


def _write_sides(drawing: Drawing, plan: _Plan) -> None:
    middle = plan.side / 2
    y = _MARGIN + _TITLE + 3 * _GAP + _TEXT / 2
    write(drawing, plan.left + middle, y, "predicted", _TEXT, "mm")
    write(drawing, _MARGIN + _TEXT / 2, plan.top + middle, "true", _TEXT, "mm", upwards=True)
    for at, name in zip(plan.middles, plan.names, strict=True):
        write(drawing, plan.left - _GAP, plan.top + at, name, plan.letters, "rm")
        x, y = plan.left + at, plan.top - _GAP
        write(drawing, x, y, name, plan.letters, "mb", upwards=plan.turned)


def _write_column(drawing: Drawing, plan: _Plan, right: float, texts: Sequence[str]) -> None:
    """A heading, and a text beside each row."""
    write(drawing, right, plan.top - _GAP, texts[0], _SMALL, "rb", QUIET_INK)
    for y, text in zip(plan.middles, texts[1:], strict=True):
        write(drawing, right, plan.top + y, text, plan.letters, "rm", QUIET_INK)


def _draw_scale(drawing: Drawing, left: float, top: float) -> None:
    """The colour bar."""
    axes = add_axes(drawing, left, top, _SCALE_W, _SCALE_H)
    shades = _shade(np.linspace(0, 1, _SCALE_W))[None] / 255
    axes.imshow(shades, aspect="auto", interpolation="nearest")
    _frame(axes)
    y = top + _SCALE_H + 2 * _GAP
    write(drawing, left, y, "0%", _SMALL, "lm", QUIET_INK)
    write(drawing, left + _SCALE_W / 2, y, "share of the row", _SMALL, "mm", QUIET_INK)
    write(drawing, left + _SCALE_W, y, "100%", _SMALL, "rm", QUIET_INK)
