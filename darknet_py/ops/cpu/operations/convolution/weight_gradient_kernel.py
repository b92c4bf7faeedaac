"""Gradients of weights of any size, stride, padding and groups: sums over places of x times delta.

A tile is a few numbers of the window times a few vectors of filters, summed over a block of places
in registers, then added to panels of sums, in the order of packed weights (see pack.py). Threads
sum into copies of their own, or share the filters of one; a last kernel adds the copies to the
updates.
"""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Loop,
    Value,
    Variables,
    const,
    instruction,
    load,
    offset,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import Part, kernel, part
from darknet_py.ops.cpu.codegen.partial import load_first, store_first, transposed
from darknet_py.ops.cpu.codegen.tile import PANEL, VECTOR, emit_products
from darknet_py.ops.cpu.operations.convolution.packing_kernel import panel_start
from darknet_py.ops.cpu.runtime.interpreter import get

_panel, _vector, _length = PANEL, VECTOR, vector_length()


def make_tile(rows: int, vectors: int) -> Instruction:
    @instruction
    def tile(
        builder: Builder,
        x: Value,
        x_row: Value,
        x_pixel: Value,
        delta: Value,
        delta_row: Value,
        delta_pixel: Value,
        high: Value,
        wide: Value,
        out: Value,
    ) -> None:
        """out (rows, vectors) += sum over high x wide places of x (rows) * delta (vectors)."""
        sums = emit_products(
            builder,
            x,
            (x_row, x_pixel),
            delta,
            (delta_row, delta_pixel),
            (high, wide),
            (rows, vectors),
        )
        for i, row in enumerate(sums):
            for j, total in enumerate(row):
                place = offset(builder, out, VECTOR * (vectors * i + j))
                store(load(builder, place) + total, place)

    return tile


def make_tiles(vectors: int) -> Part:
    """The tiles of numbers that stand side by side."""
    six, four, three, one = (make_tile(rows, vectors) for rows in (6, 4, 3, 1))
    row = vectors * VECTOR

    @part
    def tiles(x, x_row, x_pixel, delta, delta_row, delta_pixel, high, wide, length, out):  # type: ignore[no-untyped-def]
        k = 0
        while k < length:
            left = length - k
            here, to = x + 4 * k, out + k * row
            # as few tiles as possible, and large ones: eight numbers are two times four
            if left == 6 or left == 9 or left > 9:
                six(here, x_row, x_pixel, delta, delta_row, delta_pixel, high, wide, to)
                k += 6
            elif left == 4 or left >= 7:
                four(here, x_row, x_pixel, delta, delta_row, delta_pixel, high, wide, to)
                k += 4
            elif left >= 3:
                three(here, x_row, x_pixel, delta, delta_row, delta_pixel, high, wide, to)
                k += 3
            else:
                one(here, x_row, x_pixel, delta, delta_row, delta_pixel, high, wide, to)
                k += 1

    return tiles


wide_tiles, narrow_tiles = make_tiles(PANEL), make_tiles(1)


@instruction
def clear(builder: Builder, address: Value, size: Value) -> None:
    """Zeros in so many bytes, whole vectors."""
    with Loop(builder, size, VECTOR) as at:
        store(zero(builder), builder.add(address, at))


@kernel
def weight_gradient(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    delta,
    batch,
    out_h,
    out_w,
    x_image,
    x_row,
    x_pixel,
    delta_image,
    delta_row,
    delta_pixel,
    segments,
    count,
    length,
    groups,
    group_vectors,
    x_group,
    delta_group,
    block,
    sums,
    sums_size,
    copies,
):
    """sums = for each number of a window and each filter, the sum of x * delta over all places.

    x, delta: the first window and the first output; x_*: bytes from one window to the next (the
    stride's). segments, count, length: see tile.py. group_vectors: vectors of filters in a group.
    x_group, delta_group: bytes from one group's channels to the next's. block: rows of outputs
    that are done together. sums: `copies` times sums_size bytes: for each group panels with a row
    for each number. threads / copies threads share the filters of a copy.
    """
    shares = threads // copies
    copy, share = thread // shares, thread % shares
    full = group_vectors // _panel
    panels = full + group_vectors - full * _panel
    first, last = groups * panels * share // shares, groups * panels * (share + 1) // shares
    first_row, last_row = batch * out_h * copy // copies, batch * out_h * (copy + 1) // copies
    size = count * length * _vector
    sums += copy * sums_size
    for number in range(first, last):
        group = number // panels
        panel = number - group * panels
        vector = group * group_vectors + (
            panel * _panel if panel < full else full * _panel + panel - full
        )
        clear(sums + vector * size, size * (_panel if panel < full else 1))
    row = first_row
    while row < last_row:
        b = row // out_h
        top = row - b * out_h
        high = min(block, last_row - row, out_h - top)
        windows = x + b * x_image + top * x_row
        deltas = delta + b * delta_image + top * delta_row
        for number in range(first, last):
            group = number // panels
            panel = number - group * panels
            vector = panel * _panel if panel < full else full * _panel + panel - full
            here = deltas + group * delta_group + vector * _vector
            to = sums + (group * group_vectors + vector) * size
            for s in range(count):
                window = windows + get(segments + 8 * s) + group * x_group
                if panel < full:
                    wide_tiles(
                        window,
                        x_row,
                        x_pixel,
                        here,
                        delta_row,
                        delta_pixel,
                        high,
                        out_w,
                        length,
                        to + s * length * _panel * _vector,
                    )
                else:
                    narrow_tiles(
                        window,
                        x_row,
                        x_pixel,
                        here,
                        delta_row,
                        delta_pixel,
                        high,
                        out_w,
                        length,
                        to + s * length * _vector,
                    )
        row += high


@instruction
def add_square(
    builder: Builder,
    source: Value,
    step: Value,
    copies: Value,
    copy: Value,
    rows: Value,
    columns: Value,
    out: Value,
    out_step: Value,
) -> None:
    """Adds the columns of a matrix, summed over copies, to `out`, as rows.

    rows, columns: as many are there, at most a vector's length of each.
    """
    square = Variables(builder, _length)
    square.set([zero(builder)] * _length)
    with Loop(builder, copies) as c:
        start = builder.add(source, builder.mul(copy, c))
        sums = []
        for i, total in enumerate(square.get()):
            is_there = builder.icmp_signed("<", const(i), rows)
            place = builder.select(is_there, builder.mul(step, const(i)), const(0))
            sums.append(total + load(builder, builder.add(start, place)))
        square.set(sums)
    for i, total in enumerate(transposed(square.get())):
        with builder.if_then(builder.icmp_signed("<", const(i), columns)):
            place = builder.add(out, builder.mul(out_step, const(i)))
            store_first(load_first(builder, place, rows) + total, place, rows)


@kernel
def add_weight_gradient(  # type: ignore[no-untyped-def]
    thread, threads, sums, sums_size, copies, updates, filters, taps, c, c_padded, groups
):
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
        start, step = panel_start(v, vectors, _panel, rows)
        first = group * part + v * _length
        for tap in range(taps):
            for k in range(0, c, _length):
                add_square(
                    sums + group * vectors * rows * _vector + start + (tap * c_padded + k) * step,
                    step,
                    copies,
                    sums_size,
                    c - k,
                    part - v * _length,
                    updates + 4 * ((first * taps + tap) * c + k),
                    4 * taps * c,
                )


def sums_size(filters: int, rows: int, groups: int) -> int:
    """Bytes of a copy of the sums: rows = count * length."""
    return groups * -(-filters // groups // _length) * rows * _vector


def rows_together(out_w: int) -> int:
    """Rows of outputs that make a good block: long sums, in the nearest cache."""
    return max(112 // out_w, 1)
