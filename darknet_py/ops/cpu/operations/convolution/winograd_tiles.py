"""Tiles of Winograd's convolutions: how they come from a map, and go to one, where they meet its
edge too. See transforms.py, also for m, size and n."""

from __future__ import annotations

from math import isqrt

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Value,
    Vector,
    const,
    instruction,
    load,
    store,
)
from darknet_py.ops.cpu.codegen.epilogue import Finish, emit_finish, larger
from darknet_py.ops.cpu.codegen.kernel import Part, part
from darknet_py.ops.cpu.codegen.tile import VECTOR, Sums
from darknet_py.ops.cpu.operations.convolution.winograd_transforms import WINOGRAD, both_ways


def make_input(m: int, size: int) -> Instruction:
    """A vector of channels of one tile: n^2 vectors, `step` bytes apart."""

    @instruction
    def to_products(
        builder: Builder, x: Value, row: Value, pixel: Value, out: Value, step: Value
    ) -> None:
        square = load_square(builder, x, row, pixel, m + size - 1)
        flat = [value for line in both_ways(WINOGRAD[m, size].bt, square) for value in line]
        for i, value in enumerate(flat):
            store(value, builder.add(out, builder.mul(step, const(i))))

    return to_products


def make_output(m: int, size: int, pooled: bool) -> Instruction:
    """A vector of filters of one tile: m x m outputs, or of 2x2 each the largest."""
    side = m // 2 if pooled else m

    @instruction
    def from_products(
        builder: Builder,
        sums: Value,
        step: Value,
        y: Value,
        row: Value,
        pixel: Value,
        *finish: Value,
    ) -> None:
        n = m + size - 1
        products = load_square(builder, sums, builder.mul(step, const(n)), step, n)
        outputs = [[x] for line in both_ways(WINOGRAD[m, size].at, products) for x in line]
        places = [
            builder.add(y, builder.add(builder.mul(row, const(i)), builder.mul(pixel, const(j))))
            for i in range(side)
            for j in range(side)
        ]
        pool = _largest_of_squares if pooled else None
        emit_finish(builder, outputs, places, Finish(*finish), pool)

    return from_products


def load_square(
    builder: Builder, x: Value, row: Value, pixel: Value, size: int
) -> list[list[Vector]]:
    """size x size vectors."""
    square = []
    for i in range(size):
        line = builder.add(x, builder.mul(row, const(i)))
        square.append(
            [load(builder, builder.add(line, builder.mul(pixel, const(j)))) for j in range(size)]
        )
    return square


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
    def at_edge(sums, step, y, finish, pooled, rows, columns, spare):  # type: ignore[no-untyped-def]
        biases, slopes, added, added_after, gate = finish
        start, y_row, y_pixel = y
        before, after = 0, 0
        if added != 0:
            before = square
            others = start + added, y_row, y_pixel
            copy_vectors((spare + before, line, VECTOR), others, rows, columns)
        if added_after != 0:
            after = 2 * square
            others = start + added_after, y_row, y_pixel
            copy_vectors((spare + after, line, VECTOR), others, rows, columns)
        if pooled:
            pooled_outputs(sums, step, spare, line, VECTOR, biases, slopes, before, after, gate)
        else:
            outputs(sums, step, spare, line, VECTOR, biases, slopes, before, after, gate)
        copy_vectors(y, (spare, line, VECTOR), rows, columns)

    return at_edge
