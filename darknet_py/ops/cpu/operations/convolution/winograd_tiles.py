"""Winograd's transforms (Lavin, Gray 2016) of convolutions of stride 1, as operators on vectors;
and how tiles are loaded from a map and stored to one, at its edge too.

    y = A' [(G w G') . (B' x B)] A,      x: n x n, w: size x size, y: m x m, n = m + size - 1

for 3x3 with m = 2 and m = 4, and 5x5 with m = 2. `a` is the adjoint of A', for the gradients of
weights (of 3x3). B' depends on n alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import NamedTuple, TypeVar

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Pair,
    Part,
    Strided,
    Value,
    Vector,
    const,
    instruction,
    load,
    store,
)
from darknet_py.ops.cpu.codegen.epilogue import emit_epilogue, larger
from darknet_py.ops.cpu.codegen.kernel import Epilogue, part
from darknet_py.ops.cpu.codegen.tile import VECTOR, Sums

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


def make_input(m: int, size: int) -> Instruction:
    """A vector of channels of one tile: n^2 vectors."""

    @instruction
    def to_products(builder: Builder, x: Strided, out: Pair) -> None:
        rows = both_ways(WINOGRAD[m, size].bt, load_square(builder, x, m + size - 1))
        store_apart([value for row in rows for value in row], out)

    return to_products


def make_output(m: int, size: int, pooled: bool) -> Instruction:
    """A vector of filters of one tile: m x m outputs, or of 2x2 each the largest."""
    side = m // 2 if pooled else m

    @instruction
    def from_products(builder: Builder, sums: Pair, y: Strided, *epilogue: Value) -> None:
        n = m + size - 1
        first, step = sums
        products = load_square(builder, (first, builder.mul(step, const(n)), step), n)
        outputs = [[x] for line in both_ways(WINOGRAD[m, size].at, products) for x in line]
        corner, row, pixel = y
        shifts = [
            builder.add(builder.mul(row, const(i)), builder.mul(pixel, const(j)))
            for i, j in np.ndindex(side, side)
        ]
        places = [builder.add(corner, shift) for shift in shifts]
        pool = _largest_of_squares if pooled else None
        emit_epilogue(builder, outputs, places, Epilogue(*epilogue), pool)

    return from_products


def load_square(builder: Builder, x: Strided, size: int) -> list[list[Vector]]:
    """size x size vectors."""
    first, row, pixel = x
    lines = [builder.add(first, builder.mul(row, const(i))) for i in range(size)]
    steps = [builder.mul(pixel, const(j)) for j in range(size)]
    return [[load(builder, builder.add(line, step)) for step in steps] for line in lines]


def store_apart(vectors: Sequence[Vector], out: Pair) -> None:
    """Stores vectors, each so many bytes after the one before."""
    for i, x in enumerate(vectors):
        store(x, x.builder.add(out[0], x.builder.mul(out[1], const(i))))


def _largest_of_squares(outputs: Sums) -> Sums:
    """Of each 2x2 one."""
    side, pooled = isqrt(len(outputs)), []
    for i in range(0, len(outputs), 2 * side):
        upper, lower = outputs[i : i + side], outputs[i + side : i + 2 * side]
        tall = [larger(a, b) for a, b in zip(upper, lower, strict=True)]
        pooled += [larger(a, b) for a, b in zip(tall[::2], tall[1::2], strict=True)]
    return pooled


@instruction
def _copy_vector(builder: Builder, to: Value, source: Value) -> None:
    store(load(builder, source), to)


@part
def copy_vectors(to, source, rows, columns):  # type: ignore[no-untyped-def]
    """Copies rows x columns vectors; to, source: the first one's address, and bytes from a row and
    from a pixel to the next."""
    to_start, to_row, to_pixel = to
    start, row, pixel = source
    for i in range(rows):
        for j in range(columns):
            _copy_vector(to_start + i * to_row + j * to_pixel, start + i * row + j * pixel)


def make_edge(m: int, size: int) -> Part:
    """A vector of filters of a tile of which only rows x columns lie on the map, by way of spare
    memory."""
    outputs, pooled_outputs = make_output(m, size, False), make_output(m, size, True)
    line, square = m * VECTOR, m * m * VECTOR

    @part
    def at_edge(sums, to, y, finish, pooled, rows, columns, spare):  # type: ignore[no-untyped-def]
        biases, slopes, residual, residual_after, mask = finish
        near = spare, line, VECTOR
        before, after = 0, 0
        if residual != 0:
            before = square
            others = to + residual, y.row, y.pixel
            copy_vectors((spare + before, line, VECTOR), others, rows, columns)
        if residual_after != 0:
            after = 2 * square
            others = to + residual_after, y.row, y.pixel
            copy_vectors((spare + after, line, VECTOR), others, rows, columns)
        if pooled:
            pooled_outputs(sums, near, biases, slopes, before, after, mask)
        else:
            outputs(sums, near, biases, slopes, before, after, mask)
        copy_vectors((to, y.row, y.pixel), near, rows, columns)

    return at_edge
