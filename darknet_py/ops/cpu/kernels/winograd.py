"""Convolutions of stride 1 by Winograd's transforms: see transforms.py, also for m, size and n.

A thread takes a block of tiles, transforms them to n^2 matrices (tiles, c), multiplies each
with that of the weights, a panel of filters at a time, and transforms the sums back.
"""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.ops.cpu.kernels.epilogue import emit_activation, emit_after
from darknet_py.ops.cpu.kernels.tile import FLOAT, PANEL, PIXELS, VECTOR, ahead, emit_sums, share
from darknet_py.ops.cpu.kernels.transforms import WINOGRAD, both_ways
from darknet_py.ops.cpu.native.emit import (
    Builder,
    Instruction,
    Value,
    Variables,
    Vector,
    const,
    instruction,
    load,
    offset,
    store,
)
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.native.kernel import Kernel, kernel, part

_panel, _vector, _length = PANEL, VECTOR, vector_length()
REST = 4
"""Tiles that are multiplied together where no more are left, as of late layers' maps."""


def make_product(pixels: int, vectors: int) -> Instruction:
    """(pixels, length) times a panel: `pixels` rows of sums, one after the other."""

    @instruction
    def product(
        builder: Builder,
        a: Value,
        length: Value,
        weights: Value,
        next_weights: Value,
        next_step: Value,
        out: Value,
    ) -> None:
        step = builder.shl(length, const(2))
        starts = [builder.add(a, builder.mul(step, const(i))) for i in range(pixels)]
        later = next_weights, next_step
        sums = emit_sums(builder, starts, None, const(1), length, weights, vectors, None, later)
        for i, row in enumerate(sums):
            for j, x in enumerate(row):
                store(x, offset(builder, out, VECTOR * (vectors * i + j)))

    return product


def make_input(m: int, size: int) -> Instruction:
    """A vector of channels of one tile: n^2 vectors, `step` bytes apart."""

    @instruction
    def to_products(
        builder: Builder, x: Value, row: Value, pixel: Value, out: Value, step: Value
    ) -> None:
        square = _load_square(builder, x, row, pixel, m + size - 1)
        flat = [value for line in both_ways(WINOGRAD[m, size].bt, square) for value in line]
        for i, value in enumerate(flat):
            store(value, builder.add(out, builder.mul(step, const(i))))

    return to_products


def make_output(m: int, size: int, pooled: bool) -> Instruction:
    """A vector of filters of one tile: m x m outputs, or of 2x2 each the largest."""

    @instruction
    def from_products(
        builder: Builder,
        sums: Value,
        step: Value,
        y: Value,
        row: Value,
        pixel: Value,
        biases: Value,
        slopes: Value,
        added: Value,
        added_after: Value,
        gate: Value,
    ) -> None:
        n = m + size - 1
        products = _load_square(builder, sums, builder.mul(step, const(n)), step, n)
        bias = load(builder, biases)
        out = [[x + bias for x in line] for line in both_ways(WINOGRAD[m, size].at, products)]
        if pooled:
            out = [_pairs(upper, lower) for upper, lower in zip(out[::2], out[1::2], strict=True)]
        places = [
            builder.add(y, builder.add(builder.mul(row, const(i)), builder.mul(pixel, const(j))))
            for i in range(len(out))
            for j in range(len(out))
        ]
        values = [x for line in out for x in line]
        if not pooled:
            values = _added(builder, added, places, values)
        values = emit_activation(builder, slopes, values)
        if not pooled:
            others = [builder.add(place, added_after) for place in places]
            after = emit_after(builder, added_after, gate, others, [[x] for x in values])
            values = [x for (x,) in after]
        for x, place in zip(values, places, strict=True):
            store(x, place)

    return from_products


def _load_square(
    builder: Builder, x: Value, row: Value, pixel: Value, size: int
) -> list[list[Vector]]:
    square = []
    for i in range(size):
        line = builder.add(x, builder.mul(row, const(i)))
        square.append(
            [load(builder, builder.add(line, builder.mul(pixel, const(j)))) for j in range(size)]
        )
    return square


def _pairs(upper: Sequence[Vector], lower: Sequence[Vector]) -> list[Vector]:
    tall = [a.max(b) for a, b in zip(upper, lower, strict=True)]
    return [a.max(b) for a, b in zip(tall[::2], tall[1::2], strict=True)]


def _added(
    builder: Builder, added: Value, places: Sequence[Value], values: list[Vector]
) -> list[Vector]:
    variables = Variables(builder, len(values))
    variables.set(values)
    with builder.if_then(builder.icmp_signed("!=", added, const(0))):
        others = [load(builder, builder.add(place, added)) for place in places]
        variables.set([x + other for x, other in zip(values, others, strict=True)])
    return variables.get()


@instruction
def copy_vector(builder: Builder, to: Value, source: Value) -> None:
    store(load(builder, source), to)


_wide, _narrow = make_product(PIXELS, PANEL), make_product(PIXELS, 1)
_wide_rest, _narrow_rest = make_product(REST, PANEL), make_product(REST, 1)
_rest = REST


@part
def odd_lines(size):  # type: ignore[no-untyped-def]
    """Bytes, rounded up to an odd number of cache lines: matrices that lie so far apart do not
    meet in one set of the cache."""
    return ((size + 63) // 64 | 1) * 64


@part
def _multiply(a, c, matrix, out, width, n, passes, asked):  # type: ignore[no-untyped-def]
    """n tiles (of c channels) times a matrix (c, filters of `width` vectors), six in a pass."""
    for i in range(passes):
        t = 6 * i
        x, y = a + t * c * 4, out + t * width * _vector
        later = ahead(matrix, c, width * _vector, asked, i, passes)
        if width == _panel:
            if n - t <= _rest:
                _wide_rest(x, c, matrix, later, asked, y)
            else:
                _wide(x, c, matrix, later, asked, y)
        elif n - t <= _rest:
            _narrow_rest(x, c, matrix, later, asked, y)
        else:
            _narrow(x, c, matrix, later, asked, y)


@part
def _copy_block(to, to_row, to_pixel, source, source_row, source_pixel, rows, columns):  # type: ignore[no-untyped-def]
    for i in range(rows):
        for j in range(columns):
            copy_vector(to + i * to_row + j * to_pixel, source + i * source_row + j * source_pixel)


def make_winograd(m: int, size: int) -> Kernel:
    """The kernel for tiles of m x m outputs of a convolution of size x size."""
    to_products, outputs, pooled_outputs = (
        make_input(m, size),
        make_output(m, size, False),
        make_output(m, size, True),
    )
    count, line, square = (m + size - 1) ** 2, m * _vector, m * m * _vector

    @part
    def at_edge(  # type: ignore[no-untyped-def]
        source,
        step,
        to,
        y_row,
        y_pixel,
        biases,
        slopes,
        added,
        added_after,
        gate,
        pooled,
        side,
        rows,
        columns,
        spare,
    ):
        """A tile of which only rows x columns lie on the map, by way of spare memory."""
        before, after = 0, 0
        if added != 0:
            before = square
            _copy_block(spare + before, line, _vector, to + added, y_row, y_pixel, rows, columns)
        if added_after != 0:
            after = 2 * square
            _copy_block(
                spare + after, line, _vector, to + added_after, y_row, y_pixel, rows, columns
            )
        if pooled:
            pooled_outputs(source, step, spare, line, _vector, biases, slopes, 0, 0, 0)
        else:
            outputs(source, step, spare, line, _vector, biases, slopes, before, after, gate)
        _copy_block(to, y_row, y_pixel, spare, line, _vector, rows, columns)

    def winograd(  # type: ignore[no-untyped-def]
        thread,
        threads,
        x,
        y,
        added,
        added_after,
        gate,
        batch,
        out_h,
        out_w,
        x_image,
        x_row,
        x_pixel,
        y_image,
        y_row,
        y_pixel,
        c,
        weights,
        vectors,
        biases,
        slopes,
        block,
        scratch,
        scratch_size,
        split_filters,
        pooled,
    ):
        """y = activation(x * weights + biases [+ added]) [+ added_after, or through a gate];
        or of 2x2 the largest.

        x, y: the first window and the first output; *_image, *_row, *_pixel: bytes from one to the
        next. out_h, out_w: of the convolution, before pooling. c: channels of x, in whole vectors.
        weights: of each panel n^2 matrices (c, filters). block: tiles that are done together,
        a multiple of 6. scratch: scratch_size bytes a thread, for a block's matrices, a panel's
        sums and one tile. The rest as direct's; where pooled, nothing is added.
        """
        scratch += thread * scratch_size
        x_step = odd_lines(block * c * 4)
        sums = scratch + count * x_step
        spare = sums + count * odd_lines(block * _panel * _vector)
        high, wide = (out_h + m - 1) // m, (out_w + m - 1) // m
        one = high * wide
        tiles = one * batch
        full = vectors // _panel
        panels = full + vectors - full * _panel
        first, last, first_panel, last_panel = 0, tiles, 0, panels
        if split_filters:
            first_panel, last_panel = panels * thread // threads, panels * (thread + 1) // threads
        else:
            parts = (tiles + 5) // 6
            first = min(parts * thread // threads * 6, tiles)
            last = min(parts * (thread + 1) // threads * 6, tiles)
        side, y_h, y_w = m, out_h, out_w
        if pooled:
            side, y_h, y_w = m // 2, out_h // 2, out_w // 2
        for start in range(first, last, block):
            n = min(block, last - start)
            first_picture = start // one
            first_ty = (start - first_picture * one) // wide
            first_tx = start - (first_picture * high + first_ty) * wide
            picture, ty, tx = first_picture, first_ty, first_tx
            for t in range(n):
                here = x + picture * x_image + ty * m * x_row + tx * m * x_pixel
                for k in range(0, c, _length):
                    to_products(here + 4 * k, x_row, x_pixel, scratch + (t * c + k) * 4, x_step)
                tx += 1
                if tx == wide:
                    tx, ty = 0, ty + 1
                    if ty == high:
                        ty, picture = 0, picture + 1
            for panel in range(first_panel, last_panel):
                width, vector = _panel, panel * _panel
                if panel >= full:
                    width, vector = 1, full * _panel + panel - full
                matrix = weights + vector * count * c * _vector
                step = odd_lines(block * width * _vector)
                passes = (n + 5) // 6
                asked = share(width * _vector, passes)
                for p in range(count):
                    _multiply(
                        scratch + p * x_step,
                        c,
                        matrix,
                        sums + p * step,
                        width,
                        n,
                        passes,
                        asked,
                    )
                    matrix += c * width * _vector
                picture, ty, tx = first_picture, first_ty, first_tx
                for t in range(n):
                    rows, columns = min(side, y_h - ty * side), min(side, y_w - tx * side)
                    for j in range(width):
                        at = (vector + j) * _vector
                        to = y + picture * y_image + ty * side * y_row + tx * side * y_pixel + at
                        source = sums + (t * width + j) * _vector
                        if rows < side or columns < side:
                            at_edge(
                                source,
                                step,
                                to,
                                y_row,
                                y_pixel,
                                biases + at,
                                slopes,
                                added,
                                added_after,
                                gate,
                                pooled,
                                side,
                                rows,
                                columns,
                                spare,
                            )
                        elif pooled:
                            pooled_outputs(
                                source, step, to, y_row, y_pixel, biases + at, slopes, 0, 0, 0
                            )
                        else:
                            outputs(
                                source,
                                step,
                                to,
                                y_row,
                                y_pixel,
                                biases + at,
                                slopes,
                                added,
                                added_after,
                                gate,
                            )
                    tx += 1
                    if tx == wide:
                        tx, ty = 0, ty + 1
                        if ty == high:
                            ty, picture = 0, picture + 1

    winograd.__name__ = f"winograd{m}_{size}"
    return kernel(winograd)


KERNELS = {(m, size): make_winograd(m, size) for m, size in WINOGRAD}


def scratch_size(m: int, size: int, block: int, c: int) -> int:
    """Bytes of scratch that a thread needs."""
    matrices = (m + size - 1) ** 2 * (block * (c * FLOAT + PANEL * VECTOR) + 4 * 64)
    return (matrices + 3 * m * m * VECTOR + 63) // 64 * 64
