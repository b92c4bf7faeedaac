"""Gradients of 3x3 weights of stride 1 by Winograd's transforms: see winograd_tiles.py.

    dw = sum over tiles of G' [(B' x B) . (A dy A')] G

A thread takes a block of tiles, transforms x to (m + 2)^2 matrices (tiles, c) and the deltas to as
many (tiles, filters), and adds the products of each two to sums (c, filters), which stay in the
order of packed weights until a last kernel transforms them. Matrices lie an odd number of cache
lines apart, so that what is stored together does not share one set of the cache.
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Loop,
    Pair,
    Strided,
    Variables,
    const,
    instruction,
    zero,
)
from darknet_py.ops.cpu.codegen.float64_sums import clear
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import panel_at, panels_of, part_of, pixel_at, place_of
from darknet_py.ops.cpu.codegen.kernel import Kernel, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import PANEL, VECTOR
from darknet_py.ops.cpu.operations.convolution.direct_gradient import (
    add_square,
    narrow_tiles,
    wide_tiles,
)
from darknet_py.ops.cpu.operations.convolution.packing import multiplied, panel_start, stack
from darknet_py.ops.cpu.operations.convolution.winograd import odd_lines
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import (
    WINOGRAD,
    both_ways,
    copy_vectors,
    load_square,
    make_input,
    store_apart,
)

_length = vector_length()
_LINE = 64


def winograd_gradient_reference(x: np.ndarray, delta: np.ndarray, m: int) -> np.ndarray:
    """One tile: x (m + 2, m + 2, c), delta (m, m, filters) -> (filters, 3, 3, c)."""
    bt, _, adjoint, g = WINOGRAD[m, 3]
    updates = np.empty((delta.shape[2], 3, 3, x.shape[2]), x.dtype)
    for f, k in np.ndindex(delta.shape[2], x.shape[2]):
        inputs = np.array(both_ways(bt, x[..., k].tolist()))
        deltas = np.array(both_ways(adjoint, delta[..., f].tolist()))
        updates[f, :, :, k] = g.T @ (inputs * deltas) @ g
    return updates


def make_deltas(m: int) -> Instruction:
    """A vector of filters of one tile: m x m deltas to (m + 2)^2 vectors."""

    @instruction
    def to_products(builder: Builder, delta: Strided, out: Pair) -> None:
        rows = both_ways(WINOGRAD[m, 3].a, load_square(builder, delta, m))
        store_apart([x for row in rows for x in row], out)

    return to_products


def make_weights(m: int) -> Instruction:
    """A vector of filters: (m + 2)^2 sums to the 3 x 3 of G' u G."""

    @instruction
    def from_products(builder: Builder, sums: Pair, copies: Pair, out: Pair) -> None:
        window = Variables(builder, [zero(builder)] * 9)
        with Loop(builder, copies[0]) as c:
            start = builder.add(sums[0], builder.mul(copies[1], c))
            step = builder.mul(sums[1], const(m + 2))
            square = load_square(builder, (start, step, sums[1]), m + 2)
            rows = both_ways(lambda x: multiplied(WINOGRAD[m, 3].g.T, x), square)
            taps = [x for row in rows for x in row]
            window.set([total + x for total, x in zip(window.get(), taps, strict=True)])
        store_apart(window.get(), out)

    return from_products


def make_winograd_gradient(m: int) -> Kernel:
    input_products, delta_products = make_input(m, 3), make_deltas(m)
    count = (m + 2) ** 2

    def winograd_gradient(
        thread: int,
        threads: int,
        x: TensorView,
        delta: TensorView,
        vectors: int,
        block: int,
        together: int,
        scratch: int,
        scratch_size: int,
        sums: int,
        sums_size: int,
        copies: int,
    ) -> None:
        """sums = for each product, the sum over tiles of x's (c) times the deltas' (filters).

        x: of the first window. vectors: of filters. block, together: tiles, and panels of filters,
        that are done together. scratch: scratch_size bytes a thread. sums: `copies` times sums_size
        bytes; threads / copies threads share the filters of a copy.
        """
        c = x.vectors * _length
        shares = threads // copies
        copy, share = thread // shares, thread % shares
        full, panels = panels_of(vectors, PANEL)
        first_panel, last_panel = part_of(share, shares, panels, 1)
        from_vector, _ = panel_at(first_panel, full, PANEL)
        to_vector, _ = panel_at(last_panel, full, PANEL)
        high, wide = (delta.h + m - 1) // m, (delta.w + m - 1) // m
        tiles = high * wide * x.n
        first, last = tiles * copy // copies, tiles * (copy + 1) // copies
        x_line = 4 * c + 64
        x_step = odd_lines(block * x_line)
        delta_step = odd_lines(block * together * PANEL * VECTOR)
        spare = scratch + thread * scratch_size
        x_products = spare + odd_lines(m * m * VECTOR)
        delta_matrices = x_products + count * x_step
        sums += copy * sums_size
        size = c * VECTOR
        clear(sums + from_vector * count * size, (to_vector - from_vector) * count * size)
        for start in range(first, last, block):
            n = min(block, last - start)
            for t in range(n):
                picture, ty, tx = place_of(start + t, high, wide)
                here = pixel_at(x, picture, ty * m, tx * m)
                for k in range(0, c, _length):
                    to = x_products + t * x_line + 4 * k
                    input_products((here + 4 * k, x.row, x.pixel), (to, x_step))
            for some in range(first_panel, last_panel, together):
                end = min(some + together, last_panel)
                base, _ = panel_at(some, full, PANEL)
                for t in range(n):
                    picture, ty, tx = place_of(start + t, high, wide)
                    here = pixel_at(delta, picture, ty * m, tx * m)
                    rows, columns = min(m, delta.h - ty * m), min(m, delta.w - tx * m)
                    if rows < m or columns < m:
                        clear(spare, m * m * VECTOR)
                    for panel in range(some, end):
                        v, width = panel_at(panel, full, PANEL)
                        to = delta_matrices + ((v - base) * block + t * width) * VECTOR
                        for j in range(width):
                            source = here + (v + j) * VECTOR
                            at = to + j * VECTOR
                            tile = source, delta.row, delta.pixel
                            if rows < m or columns < m:
                                copy_vectors((spare, m * VECTOR, VECTOR), tile, rows, columns)
                                tile = spare, m * VECTOR, VECTOR
                            delta_products(tile, (at, delta_step))
                for p in range(count):
                    for panel in range(some, end):
                        v, width = panel_at(panel, full, PANEL)
                        a = x_products + p * x_step
                        b = delta_matrices + p * delta_step + (v - base) * block * VECTOR
                        if width == PANEL:
                            to = sums + v * count * size + p * size * PANEL
                            wide_tiles((a, 0, x_line), (b, 0, PANEL * VECTOR), (1, n), c, to)
                        else:
                            to = sums + v * count * size + p * size
                            narrow_tiles((a, 0, x_line), (b, 0, VECTOR), (1, n), c, to)

    winograd_gradient.__name__ = f"winograd{m}_gradient"
    return kernel(winograd_gradient)


def make_add_winograd_gradient(m: int) -> Kernel:
    from_products = make_weights(m)
    count = (m + 2) ** 2

    def add_winograd_gradient(
        thread: int,
        threads: int,
        sums: int,
        sums_size: int,
        copies: int,
        updates: int,
        filters: int,
        c: int,
        c_padded: int,
    ) -> None:
        """updates (filters, 3, 3, c) += what the sums of all copies make; c_padded: of the map."""
        square = stack(0)
        vectors = (filters + _length - 1) // _length
        for v in range(vectors * thread // threads, vectors * (thread + 1) // threads):
            start, step = panel_start(v, vectors, PANEL, count * c_padded)
            first = v * _length
            for k in range(0, c_padded, _length):
                for i in range(_length):
                    at = sums + start + (k + i) * step
                    to = square + i * VECTOR, _length * VECTOR
                    from_products((at, c_padded * step), (copies, sums_size), to)
                for tap in range(9):
                    at = square + tap * _length * VECTOR, VECTOR
                    to = updates + 4 * ((first * 9 + tap) * c + k), 36 * c
                    add_square(at, (1, 0), (c - k, filters - first), to)

    add_winograd_gradient.__name__ = f"add_winograd{m}_gradient"
    return kernel(add_winograd_gradient)


winograd2_gradient, winograd4_gradient = make_winograd_gradient(2), make_winograd_gradient(4)
add_winograd2_gradient = make_add_winograd_gradient(2)
add_winograd4_gradient = make_add_winograd_gradient(4)


def scratch_size(m: int, block: int, together: int, c: int) -> int:
    """Bytes of scratch that a thread needs."""
    line = 4 * c + _LINE + together * PANEL * VECTOR
    return (m + 2) ** 2 * (block * line + 4 * _LINE) + m * m * VECTOR + 4 * _LINE


def winograd_sums_size(m: int, c: int, vectors: int) -> int:
    """Bytes of a copy of the sums."""
    return (m + 2) ** 2 * c * vectors * VECTOR
