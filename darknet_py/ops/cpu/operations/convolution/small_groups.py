"""Convolutions in groups of so few channels that a vector holds several: 1 (depthwise), 2, 4 ...

Filter and channel f stand in the same place of the same vector. For each place of the window

    sums += weights[j] * (channel j of each group, in all places of the group),   j = 0 .. part - 1

where the second is the vector of channels with its numbers moved about. Nothing is multiplied with
zeros, as it would be if groups were put together until they fill a vector. Depthwise windows of 3
and 5 places side by side are done in strips of pixels, which load what they share once.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    I32,
    Builder,
    Instruction,
    Loop,
    Pair,
    Value,
    Variables,
    Vector,
    const,
    fused,
    instruction,
    load,
    load_i64,
    load_int,
    offset,
    zero,
)
from darknet_py.ops.cpu.codegen.epilogue import at_filters, emit_epilogue
from darknet_py.ops.cpu.codegen.host import vector_length, vector_registers
from darknet_py.ops.cpu.codegen.indexing import list_pixels, listed, part_of
from darknet_py.ops.cpu.codegen.kernel import Epilogue, PackedWeights, TensorView, kernel, part
from darknet_py.ops.cpu.codegen.tile import PIXELS, VECTOR, Sums
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.compile.step import Row
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands, segments_of


def small_groups_reference(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One window x (high, wide, c), weights (c, high, wide, part) -> (c,): channel j of each group
    is moved to all places of the group."""
    c, high, wide, part = weights.shape
    y = np.zeros(c, x.dtype)
    for row, column, j in np.ndindex(high, wide, part):
        moved = x[row, column, np.arange(c) // part * part + j]
        y += moved * weights[:, row, column, j]
    return y


def make_tile(pixels: int, part: int) -> Instruction:
    """A vector of filters of some pixels, of groups of `part` channels; the rest as direct's."""

    @instruction
    def tile(
        builder: Builder, a: Pair, out: Pair, segments: Pair, weights: Value, *epilogue: Value
    ) -> None:
        sums = _emit_sums(builder, listed(builder, a, pixels), *segments, weights, part)
        places = listed(builder, out, pixels)
        emit_epilogue(builder, sums, places, Epilogue(*epilogue))

    return tile


def _emit_sums(
    builder: Builder,
    starts: list[Value],
    segments: Value,
    count: Value,
    weights: Value,
    part: int,
) -> Sums:
    sums = Variables(builder, [zero(builder)] * len(starts))
    with Loop(builder, count) as s:
        place = load_int(builder, builder.add(segments, builder.shl(s, const(3))))
        here = builder.add(weights, builder.mul(s, const(part * VECTOR)))
        channels = [load(builder, builder.add(start, place)) for start in starts]
        total = sums.get()
        for j in range(part):
            w = load(builder, offset(builder, here, j * VECTOR))
            total = [
                fused(_of_group(x, j, part), w, old) for x, old in zip(channels, total, strict=True)
            ]
        sums.set(total)
    return [[x] for x in sums.get()]


def _of_group(x: Vector, j: int, part: int) -> Vector:
    """Number j of each `part` numbers, in all their places."""
    if part == 1:
        return x
    places = [place // part * part + j for place in range(x.length)]
    mask = ir.Constant(ir.VectorType(I32, x.length), places)
    return Vector(x.builder, x.builder.shuffle_vector(x.value, x.value, mask))


_tile1, _tile2, _tile4, _tile8 = (make_tile(PIXELS, part) for part in (1, 2, 4, 8))

_TILES = 2 if vector_registers() >= 32 else 1
STRIP = _TILES * PIXELS
"""Pixels in a strip: their sums, and what the pixels share, fit the registers."""
STRIPS = 3, 5
"""Places side by side in the windows that have strips."""


def make_strip(wide: int) -> Instruction:
    """A vector of filters of a strip of pixels side by side, of one channel each: what the windows
    of neighbours share is loaded once. x_pixel: bytes from a pixel to the next; the rest as a
    tile's."""

    @instruction
    def strip(
        builder: Builder,
        a: Pair,
        out: Pair,
        segments: Pair,
        weights: Value,
        x_pixel: Value,
        *epilogue: Value,
    ) -> None:
        first = builder.add(load_int(builder, a[0]), a[1])
        sums = Variables(builder, [zero(builder)] * STRIP)
        with Loop(builder, segments[1], wide) as s:
            shift = load_int(builder, builder.add(segments[0], builder.shl(s, const(3))))
            here = builder.add(weights, builder.mul(s, const(VECTOR)))
            at, row = builder.add(first, shift), []
            for _ in range(STRIP + wide - 1):
                row.append(load(builder, at))
                at = builder.add(at, x_pixel)
            total = sums.get()
            for k in range(wide):
                w = load(builder, offset(builder, here, k * VECTOR))
                total = [fused(row[i + k], w, old) for i, old in enumerate(total)]
            sums.set(total)
        places = listed(builder, out, STRIP)
        emit_epilogue(builder, [[x] for x in sums.get()], places, Epilogue(*epilogue))

    return strip


_strip3, _strip5 = (make_strip(wide) for wide in STRIPS)


@part
def are_neighbours(starts, count, step):  # type: ignore[no-untyped-def]
    """Whether the addresses of a list are so many bytes apart: no row ends among them, and none is
    repeated, as the last one is."""
    last = load_i64(starts + 8 * (count - 1))
    is_row = last - load_i64(starts) == (count - 1) * step
    return is_row and last - load_i64(starts + 8 * (count - 2)) == step


@kernel
def small_groups(
    thread: int,
    threads: int,
    x: TensorView,
    y: TensorView,
    window: PackedWeights,
    epilogue: Epilogue,
    vectors: int,
    block: int,
    lists: int,
    strip: int,
) -> None:
    """window.length: channels and filters in a group: 1, 2, 4 or 8, and less than a vector's;
    window.weights: of each vector of filters, for each place, so many vectors. lists: scratch, 16
    block bytes a thread. strip: places side by side in a window that has strips, or 0. The rest as
    direct's.
    """
    segments, count, part, weights = window
    lists += thread * 16 * block
    outs = lists + 8 * block
    first, last = part_of(thread, threads, y.n * y.h * y.w, PIXELS)
    for start in range(first, last, block):
        stop = min(start + block, last)
        n = list_pixels(lists, block, start, stop, x, y)
        for vector in range(vectors):
            shift = vector * VECTOR
            mine = weights + shift * count * part
            finish = at_filters(epilogue, shift)
            i = 0
            while i < n:
                at = 8 * PIXELS * i
                pixels = (lists + at, shift), (outs + at, shift), (segments, count), mine
                if strip and i + _TILES <= n and are_neighbours(lists + at, STRIP, x.pixel):
                    if strip == 3:
                        _strip3(*pixels, x.pixel, *finish)
                    else:
                        _strip5(*pixels, x.pixel, *finish)
                    i += _TILES
                    continue
                if part == 1:
                    _tile1(*pixels, *finish)
                elif part == 2:
                    _tile2(*pixels, *finish)
                elif part == 4:
                    _tile4(*pixels, *finish)
                else:
                    _tile8(*pixels, *finish)
                i += 1


def can_group(c: int, filters: int, groups: int) -> bool:
    """Whether groups share vectors, with as many filters as channels."""
    part = c // groups
    return groups > 1 and c == filters and part < vector_length() and part in (1, 2, 4, 8)


def fits(spec: ConvolutionSpec) -> bool:
    """Whether a vector holds several of its groups."""
    return can_group(spec.x.shape[3], spec.filters, spec.groups)


def scratch(spec: ConvolutionSpec) -> int:
    """Bytes a thread."""
    return 16 * spec.chosen.block


def row(spec: ConvolutionSpec, operands: Operands) -> Row:
    weights = operands.cached("small groups", lambda: pack(spec.weights, operands.factors))
    # 0: whatever the channels, each place by itself
    segments, _ = segments_of(operands.x, spec.window, 0, spec.dilation)
    at = operands.binding.integers(segments)
    part, wide = spec.weights.shape[3], spec.window[1]
    has_strips = part == 1 and wide in STRIPS and spec.dilation == 1 and spec.stride[1] == 1
    return small_groups.step(
        x=operands.windows,
        y=operands.y,
        window=PackedWeights(at, len(segments), part, weights),
        epilogue=operands.epilogue(),
        vectors=operands.vectors,
        block=spec.chosen.block,
        lists=operands.binding.scratch.ctypes.data,
        strip=wide if has_strips else 0,
    )


def pack(weights: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """Of each vector of filters, for each place, as many vectors as a group has channels."""
    filters, high, wide, part = weights.shape
    full = np.zeros((padded(filters), high * wide, part), np.float32)
    full[:filters] = weights.reshape(filters, high * wide, part)
    if factors is not None:
        full *= factors.reshape(-1, 1, 1)
    out = aligned(full.size)
    out[:] = full.reshape(-1, vector_length(), high * wide, part).transpose(0, 2, 3, 1).reshape(-1)
    return out
