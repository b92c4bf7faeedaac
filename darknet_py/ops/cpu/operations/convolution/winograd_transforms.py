"""Winograd's transforms (Lavin, Gray 2016) of convolutions of stride 1, as operators on vectors.

    y = A' [(G w G') . (B' x B)] A,      x: n x n, w: size x size, y: m x m, n = m + size - 1

for 3x3 with m = 2 and m = 4, and 5x5 with m = 2. `a` is the adjoint of A', which carries deltas to
gradients of weights (of 3x3). B' belongs to n alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")
Transform = Callable[[Sequence], list]  # type: ignore[type-arg]


class Winograd(NamedTuple):
    """The transforms for tiles of m x m outputs."""

    bt: Transform
    """n inputs to n."""
    at: Transform
    """n products to m outputs."""
    a: Transform
    """m outputs to n."""
    g: np.ndarray
    """(n, size)"""


def _bt4(d):  # type: ignore[no-untyped-def]
    d0, d1, d2, d3, d4, d5 = d
    even, odd = d4 - d2 * 4.0, d3 - d1 * 4.0
    near, far = d4 - d2, (d3 - d1) * 2.0
    return [
        d0 * 4.0 - d2 * 5.0 + d4,
        even + odd,
        even - odd,
        near + far,
        near - far,
        d1 * 4.0 - d3 * 5.0 + d5,
    ]


def _at4(m):  # type: ignore[no-untyped-def]
    m0, m1, m2, m3, m4, m5 = m
    sum1, difference1, sum2, difference2 = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return [
        m0 + sum1 + sum2,
        difference1 + difference2 * 2.0,
        sum1 + sum2 * 4.0,
        difference1 + difference2 * 8.0 + m5,
    ]


def _at2_of_5(m):  # type: ignore[no-untyped-def]
    m0, m1, m2, m3, m4, m5 = m
    return [m0 + (m1 + m2) + (m3 + m4), (m1 - m2) + (m3 - m4) * 2.0 + m5]


def _a2_of_5(y):  # type: ignore[no-untyped-def]
    y0, y1 = y
    return [y0, y0 + y1, y0 - y1, y0 + y1 * 2.0, y0 - y1 * 2.0, y1]


def _a4(y):  # type: ignore[no-untyped-def]
    y0, y1, y2, y3 = y
    p, q, r, s = y0 + y2, y1 + y3, y0 + y2 * 4.0, y1 * 2.0 + y3 * 8.0
    return [y0, p + q, p - q, r + s, r - s, y3]


def _bt2(d):  # type: ignore[no-untyped-def]
    d0, d1, d2, d3 = d
    return [d0 - d2, d1 + d2, d2 - d1, d1 - d3]


def _at2(m):  # type: ignore[no-untyped-def]
    m0, m1, m2, m3 = m
    return [m0 + m1 + m2, m1 - m2 - m3]


def _a2(y):  # type: ignore[no-untyped-def]
    y0, y1 = y
    return [y0, y0 + y1, y0 - y1, y1 * -1.0]


_POINTS_AND_SHARES = ((0, 1 / 4), (1, -1 / 6), (-1, -1 / 6), (2, 1 / 24), (-2, 1 / 24))
"""Where polynomials are evaluated for n = 6, and what each value is multiplied with."""


def _g6(size: int) -> np.ndarray:
    """(6, size), the last row for the point at infinity."""
    rows = [[share * point**k for k in range(size)] for point, share in _POINTS_AND_SHARES]
    return np.array([*rows, [0] * (size - 1) + [1]])


WINOGRAD = {
    (2, 3): Winograd(
        _bt2, _at2, _a2, np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    ),
    (4, 3): Winograd(_bt4, _at4, _a4, _g6(3)),
    (2, 5): Winograd(_bt4, _at2_of_5, _a2_of_5, _g6(5)),
}
"""By m and size."""


def both_ways(transform: Transform, square: Sequence[Sequence[T]]) -> list[list[T]]:
    """A transform of the columns of square[i][j], then of the rows."""
    columns = [transform(column) for column in zip(*square, strict=True)]
    return [transform(row) for row in zip(*columns, strict=True)]
