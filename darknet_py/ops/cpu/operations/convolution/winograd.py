"""Convolutions of stride 1 by Winograd's transforms: see winograd_tiles.py, also for m, size and n.

A thread takes a block of tiles, transforms them to n^2 matrices (tiles, c), multiplies each
with that of the weights, a panel of filters at a time, and transforms the sums back.
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import at_filters
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import (
    panel_at,
    panels_of,
    part_of,
    pixel_at,
    place_after,
    place_of,
)
from darknet_py.ops.cpu.codegen.kernel import Epilogue, Kernel, TensorView, kernel, part
from darknet_py.ops.cpu.codegen.tile import FLOAT, PANEL, PIXELS, VECTOR, ahead, make_product, share
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.step import Row
from darknet_py.ops.cpu.operations.convolution.cost import REST
from darknet_py.ops.cpu.operations.convolution.packing import Packing
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import (
    WINOGRAD,
    both_ways,
    make_edge,
    make_input,
    make_output,
)

_LENGTH = vector_length()


def winograd_reference(x: np.ndarray, weights: np.ndarray, m: int) -> np.ndarray:
    """One tile: x (n, n, c), weights (filters, size, size, c) -> (m, m, filters)."""
    filters, size, _, c = weights.shape
    bt, at, _, g = WINOGRAD[m, size]
    y = np.zeros((m, m, filters), x.dtype)
    for f, k in np.ndindex(filters, c):
        inputs = np.array(both_ways(bt, x[..., k].tolist()))
        products = inputs * (g @ weights[f, :, :, k] @ g.T)
        y[..., f] += np.array(both_ways(at, products.tolist()))
    return y


_wide, _narrow = make_product(PIXELS, PANEL), make_product(PIXELS, 1)
_wide_rest, _narrow_rest = make_product(REST, PANEL), make_product(REST, 1)


@part
def odd_lines(size):  # type: ignore[no-untyped-def]
    """Bytes, rounded up to an odd number of cache lines: matrices that lie so far apart do not
    share one set of the cache."""
    return ((size + 63) // 64 | 1) * 64


@part
def multiply(a, c, matrix, out, width, n, passes, prefetched):  # type: ignore[no-untyped-def]
    """n tiles (of c channels) times a matrix (c, filters of `width` vectors), six in a pass."""
    for i in range(passes):
        t = PIXELS * i
        later = ahead(matrix, c, width * VECTOR, prefetched, i, passes)
        rows = a + t * c * 4, c * 4
        product = rows, c, matrix, (later, prefetched), out + t * width * VECTOR
        if width == PANEL:
            if n - t <= REST:
                _wide_rest(*product)
            else:
                _wide(*product)
        elif n - t <= REST:
            _narrow_rest(*product)
        else:
            _narrow(*product)


def make_winograd(m: int, size: int) -> Kernel:
    """The kernel for tiles of m x m outputs of a convolution of size x size."""
    to_products, at_edge = make_input(m, size), make_edge(m, size)
    outputs, pooled_outputs = make_output(m, size, False), make_output(m, size, True)
    count = (m + size - 1) ** 2

    def winograd(
        thread: int,
        threads: int,
        x: TensorView,
        y: TensorView,
        weights: int,
        epilogue: Epilogue,
        vectors: int,
        block: int,
        scratch: int,
        scratch_size: int,
        split_filters: int,
        pooled: int,
    ) -> None:
        """x: of the first window. weights: of each panel n^2 matrices (c, filters). block: tiles
        that are done together, a multiple of 6. scratch: scratch_size bytes a thread, for a block's
        matrices, a panel's sums and one tile. The rest as direct's; where pooled, nothing is added.
        """
        c = x.vectors * _LENGTH
        scratch += thread * scratch_size
        x_step = odd_lines(block * c * 4)
        sums = scratch + count * x_step
        spare = sums + count * odd_lines(block * PANEL * VECTOR)
        side, scale = m, 1
        if pooled:
            side, scale = m // 2, 2
        high, wide = (scale * y.h + m - 1) // m, (scale * y.w + m - 1) // m
        full, panels = panels_of(vectors, PANEL)
        first, last, first_panel, last_panel = 0, y.n * high * wide, 0, panels
        if split_filters:
            first_panel, last_panel = part_of(thread, threads, panels, 1)
        else:
            first, last = part_of(thread, threads, last, PIXELS)
        for start in range(first, last, block):
            n = min(block, last - start)
            first_place = place_of(start, high, wide)
            picture, ty, tx = first_place
            for t in range(n):
                here = pixel_at(x, picture, ty * m, tx * m)
                for k in range(0, c, _LENGTH):
                    at = scratch + (t * c + k) * 4
                    to_products((here + 4 * k, x.row, x.pixel), (at, x_step))
                picture, ty, tx = place_after(picture, ty, tx, high, wide)
            for panel in range(first_panel, last_panel):
                vector, width = panel_at(panel, full, PANEL)
                matrix = weights + vector * count * c * VECTOR
                step = odd_lines(block * width * VECTOR)
                passes = (n + PIXELS - 1) // PIXELS
                prefetched = share(width * VECTOR, passes)
                for p in range(count):
                    a, out = scratch + p * x_step, sums + p * step
                    multiply(a, c, matrix, out, width, n, passes, prefetched)
                    matrix += c * width * VECTOR
                picture, ty, tx = first_place
                for t in range(n):
                    rows, columns = min(side, y.h - ty * side), min(side, y.w - tx * side)
                    corner = pixel_at(y, picture, ty * side, tx * side)
                    for j in range(width):
                        at = (vector + j) * VECTOR
                        to = corner + at, y.row, y.pixel
                        source = sums + (t * width + j) * VECTOR, step
                        finish = at_filters(epilogue, at)
                        if rows < side or columns < side:
                            at_edge(source, corner + at, y, finish, pooled, rows, columns, spare)
                        elif pooled:
                            pooled_outputs(source, to, *finish)
                        else:
                            outputs(source, to, *finish)
                    picture, ty, tx = place_after(picture, ty, tx, high, wide)

    winograd.__name__ = f"winograd{m}_{size}"
    return kernel(winograd)


KERNELS = {(m, size): make_winograd(m, size) for m, size in WINOGRAD}


def scratch_size(m: int, size: int, block: int, c: int) -> int:
    """Bytes of scratch that a thread needs."""
    matrices = (m + size - 1) ** 2 * (block * (c * FLOAT + PANEL * VECTOR) + 4 * 64)
    return (matrices + 3 * m * m * VECTOR + 63) // 64 * 64


def scratch(spec: ConvolutionSpec) -> int:
    """Bytes a thread."""
    return scratch_size(spec.chosen.m, spec.window[0], spec.chosen.block, padded(spec.x.shape[3]))


def row(spec: ConvolutionSpec, operands: Operands) -> Row:
    m = spec.chosen.m
    return KERNELS[m, spec.window[0]].step(
        x=operands.x._replace(address=operands.windows.address),
        y=operands.y,
        weights=operands.packed(Packing(m, padded(spec.x.shape[3]), backward=spec.backward)),
        epilogue=operands.epilogue(),
        vectors=operands.vectors,
        block=spec.chosen.block,
        scratch=operands.binding.scratch.ctypes.data,
        scratch_size=scratch(spec),
        split_filters=int(spec.chosen.split_filters),
        pooled=int(spec.pooled),
    )
