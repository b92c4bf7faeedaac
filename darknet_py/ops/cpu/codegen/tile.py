"""The register tile: a few pixels times a few vectors of filters, all sums kept in registers.

    sums[i][j] = sum over segments s and numbers k of a[i][s][k] * b[s][k][j]

a[i] is where pixel i begins; segment s lies `segments[s]` bytes further on, its numbers side by
side. b is packed: for each (s, k) `vectors` vectors of filters. epilogue.py takes the sums.

All products are made of it: convolutions (a segment is a row of the window), 1x1 (one segment),
dense layers (a pixel is a picture), each of Winograd's products.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    I8,
    I32,
    Builder,
    Instruction,
    Loop,
    Pair,
    Places,
    Strided,
    Value,
    Variables,
    Vector,
    const,
    declare,
    fused,
    instruction,
    load,
    load_int,
    offset,
    splat,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length, vector_registers
from darknet_py.ops.cpu.codegen.kernel import part

FLOAT = 4
VECTOR = FLOAT * vector_length()
"""Bytes."""

Sums = list[list[Vector]]

PANEL = 4 if vector_registers() >= 32 else 2
"""Vectors of filters in a tile."""
PIXELS = 6
"""Pixels in a tile: 6 x 4 of 32 registers, 6 x 2 of 16."""
AHEAD = 2048
"""Bytes of b by which it is prefetched, where it is read once."""


def emit_sums(
    builder: Builder,
    starts: Sequence[Value],
    segments: Value | None,
    count: Value,
    length: Value,
    b: Value,
    vectors: int,
    next_start: Value | None = None,
    next_b: Pair | None = None,
) -> Sums:
    """The sums of a tile. starts: where each pixel's numbers begin; segments: the address of
    `count` offsets in bytes, or None for one segment; length: numbers in a segment.

    What is prefetched meanwhile: next_start, where the next tile's pixels begin, side by side as a
    rule; next_b: where to begin, and how many bytes to go on for each row of b, see `ahead`.
    """
    sums = Variables(builder, [zero(builder)] * (len(starts) * vectors))
    row = vectors * VECTOR
    with Loop(builder, count) as s:
        if segments is None:
            places = list(starts)
        else:
            shift = load_int(builder, builder.add(segments, builder.shl(s, const(3))))
            places = [builder.add(start, shift) for start in starts]
        before = builder.mul(s, length)
        first = builder.add(b, builder.mul(before, const(row)))
        with Loop(builder, length) as k:
            here = builder.add(first, builder.mul(k, const(row)))
            filters = [load(builder, offset(builder, here, VECTOR * j)) for j in range(vectors)]
            if next_b is None:
                prefetch(builder, offset(builder, here, AHEAD), row)
            else:
                done = builder.add(before, k)
                prefetch(builder, builder.add(next_b[0], builder.mul(done, next_b[1])), row)
            if next_start is not None:
                ahead = builder.mul(k, const(FLOAT * len(starts)))
                prefetch(builder, builder.add(next_start, ahead), 1)
            number = builder.shl(k, const(2))
            old, new = sums.get(), []
            for i, place in enumerate(places):
                x = splat(builder, builder.add(place, number))
                new += [fused(x, filters[j], old[i * vectors + j]) for j in range(vectors)]
            sums.set(new)
    flat = sums.get()
    return [flat[i * vectors : (i + 1) * vectors] for i in range(len(starts))]


def make_product(pixels: int, vectors: int) -> Instruction:
    """`pixels` rows of `length` numbers times a panel: rows of sums, one after the other."""

    @instruction
    def product(
        builder: Builder, a: Pair, length: Value, b: Value, next_b: Pair, out: Value
    ) -> None:
        starts = [builder.add(a[0], builder.mul(a[1], const(i))) for i in range(pixels)]
        sums = emit_sums(builder, starts, None, const(1), length, b, vectors, None, next_b)
        for i, row in enumerate(sums):
            for j, x in enumerate(row):
                store(x, offset(builder, out, VECTOR * (vectors * i + j)))

    return product


@part
def share(row, tiles):  # type: ignore[no-untyped-def]
    """Bytes that a tile prefetches for each row of b of what comes after b, where `tiles` read the
    same b one after the other: so that memory is as busy as the multipliers."""
    return row if tiles == 1 else row // tiles


@part
def ahead(b, rows, row, step, tile, tiles):  # type: ignore[no-untyped-def]
    """Where a tile's share begins. b has `rows` rows of `row` bytes; step: see `share`, apart since
    a division takes as long as a small tile."""
    return b + AHEAD if tiles == 1 else b + rows * (row + tile * step)


def emit_products(
    builder: Builder, a: Strided, b: Strided, counts: Pair, shape: tuple[int, int]
) -> Sums:
    """sum over places (k, l) of a[k, l][i] * b[k, l][j]: what weight gradients are made of.

    shape: (numbers of a, vectors of b).
    """
    rows, vectors = shape
    sums = Variables(builder, [zero(builder)] * (rows * vectors))
    with Places(builder, counts, [a, b]) as (there, here):
        columns = [load(builder, offset(builder, here, VECTOR * j)) for j in range(vectors)]
        old, new = sums.get(), []
        for i in range(rows):
            x = splat(builder, offset(builder, there, FLOAT * i))
            new += [fused(x, columns[j], old[i * vectors + j]) for j in range(vectors)]
        sums.set(new)
    flat = sums.get()
    return [flat[i * vectors : (i + 1) * vectors] for i in range(rows)]


def prefetch(builder: Builder, address: Value, size: int) -> None:
    kind = I8.as_pointer()
    function = declare(builder, "llvm.prefetch.p0", ir.VoidType(), [kind, I32, I32, I32])
    hints = [ir.Constant(I32, value) for value in (0, 3, 1)]  # read, keep, data
    for line in range(0, size, 64):
        place = builder.inttoptr(offset(builder, address, line), kind)
        builder.call(function, [place, *hints])
