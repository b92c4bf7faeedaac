"""Convolutions of stride 1 with fewer filters than half a vector holds, as a picture's deltas.

Vectors of filters would be mostly zeros. So each pixel is first multiplied for all places of the
window at once, which fills them,

    z[pixel][place, filter] = sum over c of x[pixel][c] * weights[place, filter][c]

and an output then adds up what the pixels of its window have for it: y[p] = sum over places of
z[p + place][place]. The rows of z that a row of outputs needs stay in scratch.
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Loop,
    Pair,
    Value,
    Variables,
    const,
    instruction,
    load,
    load_int,
    offset,
    store,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel, part
from darknet_py.ops.cpu.codegen.tile import FLOAT, PANEL, PIXELS, VECTOR, ahead, make_product, share
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.compile.step import Row
from darknet_py.ops.cpu.operations.convolution.packing import AHEAD
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands


def narrow_output_reference(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """x (h, w, c) with its border, weights (filters, high, wide, c) -> (out_h, out_w, filters)."""
    filters, high, wide, _ = weights.shape
    z = np.einsum("hwc,fklc->hwklf", x, weights)
    out_h, out_w = len(x) - high + 1, x.shape[1] - wide + 1
    y = np.zeros((out_h, out_w, filters), x.dtype)
    for row, column in np.ndindex(high, wide):
        y += z[row : row + out_h, column : column + out_w, row, column]
    return y


COLUMNS = 192
"""Outputs of a row that are done together."""
_TOGETHER = 4
"""Outputs that are added up together."""
_length = vector_length()


def places_per_panel(filters: int) -> int:
    """A place's filters lie in one panel."""
    return PANEL * vector_length() // filters


def panels_for(filters: int, places: int) -> int:
    return -(-places // places_per_panel(filters))


def row_bytes(panels: int) -> int:
    """Of a row of z: a panel's pixels, then the next panel's; sums are read beyond the last."""
    return panels * (COLUMNS + 64) * PANEL * VECTOR


def make_add_up(pixels: int) -> Instruction:
    """`pixels` outputs, from z where the first one's window begins."""

    @instruction
    def add_up(
        builder: Builder, z: Value, offsets: Pair, biases: Value, mask: Value, y: Pair
    ) -> None:
        sums = Variables(builder, [load(builder, biases)] * pixels)
        with Loop(builder, offsets[1]) as place:
            here = load_int(builder, builder.add(offsets[0], builder.shl(place, const(3))))
            first = builder.add(z, here)
            step = PANEL * VECTOR
            found = [load(builder, offset(builder, first, step * i)) for i in range(pixels)]
            sums.set([x + new for x, new in zip(sums.get(), found, strict=True)])
        only_filters = load(builder, mask)
        for i, x in enumerate(sums.get()):
            store(x * only_filters, builder.add(y[0], builder.mul(y[1], const(i))))

    return add_up


_six, _one = make_product(PIXELS, PANEL), make_product(1, PANEL)
_add_four, _add_one = make_add_up(_TOGETHER), make_add_up(1)


@part
def _multiply_row(x, x_pixel, c, weights, panels, z, n):  # type: ignore[no-untyped-def]
    """A row of z, of n pixels."""
    tiles = (n + 5) // 6
    step = share(PANEL * VECTOR, tiles)
    for panel in range(panels):
        matrix = weights + panel * c * PANEL * VECTOR
        out = z + panel * (COLUMNS + 64) * PANEL * VECTOR
        if n < 6:
            for i in range(n):
                at = out + i * PANEL * VECTOR
                _one((x + i * x_pixel, x_pixel), c, matrix, (matrix, 0), at)
        else:
            for tile in range(tiles):
                i = min(6 * tile, n - 6)  # the last one overlaps the one before
                later = ahead(matrix, c, PANEL * VECTOR, step, tile, tiles)
                at = out + i * PANEL * VECTOR
                _six((x + i * x_pixel, x_pixel), c, matrix, (later, step), at)


@kernel
def narrow_output(
    thread: int,
    threads: int,
    x: TensorView,
    y: TensorView,
    high: int,
    wide: int,
    weights: int,
    panels: int,
    offsets: int,
    biases: int,
    mask: int,
    scratch: int,
    row_size: int,
) -> None:
    """y = x * weights + biases; x: of the first window.

    high, wide: of the window. weights: of each panel a matrix (c, vectors). offsets: for each of
    `high` rows of z that may be the window's first, in bytes where its places lie. mask: a vector
    with 1 for each filter. scratch: high row_size bytes a thread.
    """
    z = scratch + thread * high * row_size
    rows = y.n * y.h
    first, last = rows * thread // threads, rows * (thread + 1) // threads
    places = high * wide
    for left in range(0, y.w, COLUMNS):
        columns = min(COLUMNS, y.w - left)
        done = 0
        for number in range(first, last):
            picture = number // y.h
            row = number - picture * y.h
            if row == 0 or number == first:
                done = row
            while done < row + high:
                _multiply_row(
                    pixel_at(x, picture, done, left),
                    x.pixel,
                    x.vectors * _length,
                    weights,
                    panels,
                    z + done % high * row_size,
                    columns + wide - 1,
                )
                done += 1
            where = offsets + row % high * places * 8, places
            to = pixel_at(y, picture, row, left)
            fours = columns // 4 * 4
            for i in range(0, fours, 4):
                at = z + i * PANEL * VECTOR
                _add_four(at, where, biases, mask, (to + i * y.pixel, y.pixel))
            for i in range(fours, columns):
                at = z + i * PANEL * VECTOR
                _add_one(at, where, biases, mask, (to + i * y.pixel, y.pixel))


def is_narrow(filters: int, high: int, wide: int) -> bool:
    """Whether the window has places enough, and so few filters."""
    return 2 * filters <= vector_length() and wide <= 64 and high * wide > 1


def offsets_for(high: int, wide: int, filters: int) -> list[int]:
    """What the kernel takes as offsets."""
    each, panels = places_per_panel(filters), panels_for(filters, high * wide)
    offsets = []
    for first in range(high):
        for place in range(high * wide):
            ky, kx = divmod(place, wide)
            panel, slot = divmod(place, each)
            pixel = panel * (COLUMNS + 64) + kx
            row = (first + ky) % high * row_bytes(panels)
            offsets.append(row + pixel * PANEL * VECTOR + slot * filters * FLOAT)
    return offsets


def fits(spec: ConvolutionSpec) -> bool:
    """Whether the filters are so few, and with nothing fused, that the kernel can do it."""
    fused = spec.residual, spec.residual_after, spec.mask
    is_bare = not any(one is not None for one in fused) and spec.activation == "linear"
    is_small = spec.is_dense and is_narrow(spec.filters, *spec.window)
    return is_small and is_bare and not spec.pooled and not spec.changing and spec.out != (1, 1)


def scratch(spec: ConvolutionSpec) -> int:
    """Bytes a thread."""
    return spec.window[0] * row_bytes(_panels(spec))


def row(spec: ConvolutionSpec, operands: Operands) -> Row:
    high, wide = spec.window
    return narrow_output.step(
        x=operands.windows,
        y=operands.y,
        high=high,
        wide=wide,
        weights=operands.cached(
            ("narrow", spec.backward), lambda: pack(spec.weights, operands.factors, spec.backward)
        ),
        panels=_panels(spec),
        offsets=operands.binding.integers(offsets_for(high, wide, spec.filters)),
        biases=operands.biases,
        mask=operands.binding.floats(np.arange(vector_length()) < spec.filters),
        scratch=operands.binding.scratch.ctypes.data,
        row_size=row_bytes(_panels(spec)),
    )


def _panels(spec: ConvolutionSpec) -> int:
    high, wide = spec.window
    return panels_for(spec.filters, high * wide)


def pack(weights: np.ndarray, factors: np.ndarray | None, backward: bool) -> np.ndarray:
    """A matrix (c, filters of some places) for each panel."""
    scaled = weights
    if factors is not None:
        scaled = weights * factors[: len(weights)].reshape(-1, 1, 1, 1)
    if backward:
        scaled = scaled[:, ::-1, ::-1].transpose(3, 1, 2, 0)
    filters, high, wide, c = scaled.shape
    each, panels = places_per_panel(filters), panels_for(filters, high * wide)
    out = np.zeros((panels, padded(c), PANEL * vector_length()), np.float32)
    for place in range(high * wide):
        panel, slot = divmod(place, each)
        matrix = scaled[:, place // wide, place % wide].T
        out[panel, :c, slot * filters : (slot + 1) * filters] = matrix
    packed = aligned(out.size + AHEAD)
    packed[: out.size] = out.reshape(-1)
    return packed
