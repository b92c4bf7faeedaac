"""Which classes are taken for which, as lists: what a matrix of a thousand classes cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py.images.draw.canvas import (
    PALETTE,
    QUIET_INK,
    Drawing,
    add_axes,
    new_drawing,
    widest,
    write,
)
from darknet_py.images.draw.fonts import shorten

_MARGIN, _GAP = 16, 6
_TITLE, _TEXT, _SMALL = 17, 14, 12  # Sizes of letters.
_PAIRS, _WEAKEST = 30, 20  # Rows of the lists.
_WIDTH, _LIST_ROW = 1000, 24
_LIST_NAME = 240  # Pixels of a name in a list, at most.

Counts = npt.NDArray[np.integer]
"""Of shape (k, k): rows are true classes, columns predicted ones."""


def row_shares(counts: Counts) -> npt.NDArray[np.float64]:
    """Of each row, 0..1; a row without counts has 0 everywhere."""
    totals = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    shares: npt.NDArray[np.float64] = counts / np.maximum(totals, 1)
    return shares


def percent(share: float) -> str:
    """In two digits: 0.5 %, 12 %; never 0 of something or all of not quite all."""
    if share < 0.095:
        return f"{max(100 * share, 0.1):.1f}%"
    return "100%" if share == 1 else f"{min(round(100 * share), 99)}%"


class Pair(NamedTuple):
    """So many pictures of one class are taken for another; classes by number. share: of the true
    class's."""

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
    """Of classes that have pictures and are not always right."""
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
