"""Gradients of weights of any size, stride, padding and groups: sums over places of x times delta.

A tile is a few numbers of the window times a few vectors of filters, summed over a block of places
in registers, then added to panels of sums, in the order of packed weights (see packing.py). Threads
sum into copies of their own, or share the filters of one; a last kernel adds the copies to the
updates.
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Loop,
    Pair,
    Part,
    Strided,
    Value,
    Variables,
    const,
    instruction,
    load,
    load_first,
    load_i64,
    offset,
    store,
    store_first,
    transposed,
    zero,
)
from darknet_py.ops.cpu.codegen.float64_sums import clear
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import panel_at, panels_of, part_of, pixel_at
from darknet_py.ops.cpu.codegen.kernel import PackedWeights, TensorView, kernel, part
from darknet_py.ops.cpu.codegen.tile import PANEL, VECTOR, emit_products
from darknet_py.ops.cpu.operations.convolution.packing import panel_start

_length = vector_length()


def weight_gradient_reference(
    x: np.ndarray, delta: np.ndarray, window: tuple[int, int], stride: int, padding: int
) -> np.ndarray:
    """x (n, h, w, c), delta (n, out_h, out_w, filters) -> (filters, high, wide, c)."""
    high, wide = window
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    updates = np.zeros((delta.shape[3], high, wide, x.shape[3]), x.dtype)
    for b, row, column in np.ndindex(delta.shape[:3]):
        top, left = row * stride, column * stride
        here = x[b, top : top + high, left : left + wide]
        updates += delta[b, row, column, :, None, None, None] * here
    return updates


def make_tile(rows: int, vectors: int) -> Instruction:
    @instruction
    def tile(builder: Builder, x: Strided, delta: Strided, counts: Pair, out: Value) -> None:
        """out (rows, vectors) += sum over high x wide places of x (rows) * delta (vectors)."""
        for i, row in enumerate(emit_products(builder, x, delta, counts, (rows, vectors))):
            for j, total in enumerate(row):
                place = offset(builder, out, VECTOR * (vectors * i + j))
                store(load(builder, place) + total, place)

    return tile


def make_tiles(vectors: int) -> Part:
    """The tiles of numbers that stand side by side."""
    six, four, three, one = (make_tile(rows, vectors) for rows in (6, 4, 3, 1))
    row = vectors * VECTOR

    @part
    def tiles(x, delta, counts, length, out):  # type: ignore[no-untyped-def]
        first, x_row, x_pixel = x
        k = 0
        while k < length:
            left = length - k
            here, to = (first + 4 * k, x_row, x_pixel), out + k * row
            # as few tiles as possible, and large ones: eight numbers are two times four
            if left == 6 or left == 9 or left > 9:
                six(here, delta, counts, to)
                k += 6
            elif left == 4 or left >= 7:
                four(here, delta, counts, to)
                k += 4
            elif left >= 3:
                three(here, delta, counts, to)
                k += 3
            else:
                one(here, delta, counts, to)
                k += 1

    return tiles


wide_tiles, narrow_tiles = make_tiles(PANEL), make_tiles(1)


@kernel
def weight_gradient(
    thread: int,
    threads: int,
    x: TensorView,
    delta: TensorView,
    window: PackedWeights,
    groups: int,
    group_vectors: int,
    x_group: int,
    delta_group: int,
    block: int,
    sums: int,
    sums_size: int,
    copies: int,
) -> None:
    """sums = for each number of a window and each filter, the sum of x * delta over all places.

    x: of the first window; its pitches are from one window to the next. window: its weights are not
    read. group_vectors: vectors of filters in a group. x_group, delta_group: bytes from one group's
    channels to the next's. block: rows of outputs that are done together. sums: `copies` times
    sums_size bytes: for each group panels with a row for each number. threads / copies threads
    share the filters of a copy."""
    segments, count, length, _ = window
    shares = threads // copies
    copy, share = thread // shares, thread % shares
    full, panels = panels_of(group_vectors, PANEL)
    first, last = part_of(share, shares, groups * panels, 1)
    rows = delta.n * delta.h
    row, last_row = rows * copy // copies, rows * (copy + 1) // copies
    size = count * length * VECTOR
    sums += copy * sums_size
    for number in range(first, last):
        group = number // panels
        vector, width = panel_at(number - group * panels, full, PANEL)
        clear(sums + (group * group_vectors + vector) * size, size * width)
    while row < last_row:
        b = row // delta.h
        top = row - b * delta.h
        high = min(block, last_row - row, delta.h - top)
        windows, deltas = pixel_at(x, b, top, 0), pixel_at(delta, b, top, 0)
        for number in range(first, last):
            group = number // panels
            vector, width = panel_at(number - group * panels, full, PANEL)
            here = deltas + group * delta_group + vector * VECTOR
            to = sums + (group * group_vectors + vector) * size
            for s in range(count):
                at = windows + load_i64(segments + 8 * s) + group * x_group
                out = to + s * length * width * VECTOR
                places = (at, x.row, x.pixel), (here, delta.row, delta.pixel), (high, delta.w)
                if width == PANEL:
                    wide_tiles(*places, length, out)
                else:
                    narrow_tiles(*places, length, out)
        row += high


@instruction
def add_square(builder: Builder, source: Pair, copies: Pair, counts: Pair, out: Pair) -> None:
    """Adds the columns of a matrix, summed over copies, to `out`, as rows.

    copies: how many, and bytes from one to the next. counts: rows and columns that are there, at
    most a vector's length of each.
    """
    rows, columns = counts
    square = Variables(builder, [zero(builder)] * _length)
    with Loop(builder, copies[0]) as c:
        start = builder.add(source[0], builder.mul(copies[1], c))
        sums = []
        for i, total in enumerate(square.get()):
            is_there = builder.icmp_signed("<", const(i), rows)
            place = builder.select(is_there, builder.mul(source[1], const(i)), const(0))
            sums.append(total + load(builder, builder.add(start, place)))
        square.set(sums)
    for i, total in enumerate(transposed(square.get())):
        with builder.if_then(builder.icmp_signed("<", const(i), columns)):
            place = builder.add(out[0], builder.mul(out[1], const(i)))
            store_first(load_first(builder, place, rows) + total, place, rows)


@kernel
def add_weight_gradient(
    thread: int,
    threads: int,
    sums: int,
    sums_size: int,
    copies: int,
    updates: int,
    filters: int,
    taps: int,
    c: int,
    c_padded: int,
    groups: int,
) -> None:
    """updates (filters, taps, c) += the sums of all copies.

    filters: of all groups; c: channels of a group; c_padded: rows of a panel for each tap.
    """
    part = filters // groups
    vectors = (part + _length - 1) // _length
    rows = taps * c_padded
    total = groups * vectors
    for number in range(total * thread // threads, total * (thread + 1) // threads):
        group = number // vectors
        v = number - group * vectors
        start, step = panel_start(v, vectors, PANEL, rows)
        first = group * part + v * _length
        for tap in range(taps):
            for k in range(0, c, _length):
                at = group * vectors * rows * VECTOR + start + (tap * c_padded + k) * step
                to = updates + 4 * ((first * taps + tap) * c + k)
                counts = c - k, part - v * _length
                add_square((sums + at, step), (copies, sums_size), counts, (to, 4 * taps * c))


def sums_size(filters: int, rows: int, groups: int) -> int:
    """Bytes of a copy of the sums: rows = count * length."""
    return groups * -(-filters // groups // _length) * rows * VECTOR
