"""Direct convolution of any size, stride, padding, groups and dilation, 1x1 and dense layers too.

Tiles take any pixels: each thread lists, for a block of output pixels, where each one's window
begins and where its result goes (codegen/indexing.py), and then runs over the filters.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Pair,
    Value,
    instruction,
    load_i64,
    load_int,
    offset,
)
from darknet_py.ops.cpu.codegen.epilogue import at_filters, emit_epilogue, largest
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import (
    list_pixels,
    list_squares,
    listed,
    panel_at,
    panels_of,
    part_of,
)
from darknet_py.ops.cpu.codegen.kernel import Epilogue, Kernel, PackedWeights, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR, ahead, emit_sums, share
from darknet_py.ops.cpu.compile.allocate import FLOAT, aligned, padded
from darknet_py.ops.cpu.compile.step import Row
from darknet_py.ops.cpu.operations.convolution.packing import AHEAD, Packing
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands


def conv2d_reference(
    x: np.ndarray, weights: np.ndarray, stride: int, padding: int, groups: int = 1
) -> np.ndarray:
    """x (n, h, w, c), weights (filters, high, wide, c / groups) -> (n, out_h, out_w, filters)."""
    filters, high, wide, part = weights.shape
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    out_h, out_w = (x.shape[1] - high) // stride + 1, (x.shape[2] - wide) // stride + 1
    y = np.zeros((len(x), out_h, out_w, filters), x.dtype)
    for row, column, f in np.ndindex(out_h, out_w, filters):
        top, left, first = row * stride, column * stride, f // (filters // groups) * part
        window = x[:, top : top + high, left : left + wide, first : first + part]
        y[:, row, column, f] = (window * weights[f]).sum(axis=(1, 2, 3))
    return y


Window = tuple[Value, Value, Value, Value]
"""As PackedWeights."""

POOLED = 4
"""Pixels in a tile whose largest value alone is kept: two rows of two."""


def make_tile(pixels: int, vectors: int, pooled: bool = False) -> Instruction:
    """A tile whose pixels stand in lists of addresses: `a` of windows, `out` of results, each with
    what is added to all. window: as PackedWeights. later: weights to prefetch.

    pooled: the pixels become one, the largest, and `out` has one address.
    """

    @instruction
    def tile(
        builder: Builder, a: Pair, out: Pair, window: Window, later: Pair, *epilogue: Value
    ) -> None:
        starts = listed(builder, a, pixels)
        # behind the last tile's there is some other address: prefetching it harms nothing
        following = builder.add(load_int(builder, offset(builder, a[0], 8 * pixels)), a[1])
        # with more pixels there are no registers left for where the next weights lie
        next_b = later if pixels <= PIXELS else None
        sums = emit_sums(builder, starts, *window, vectors, following, next_b)
        places = listed(builder, out, 1 if pooled else pixels)
        emit_epilogue(builder, sums, places, Epilogue(*epilogue), largest if pooled else None)

    return tile


def _make_kernel(name: str, pooled: bool) -> Kernel:
    pixels = POOLED if pooled else PIXELS
    wide, narrow = make_tile(pixels, PANEL, pooled), make_tile(pixels, 1, pooled)
    # the sums of one vector and six pixels are too few to keep a core busy
    can_pair, twice = not pooled, narrow if pooled else make_tile(2 * pixels, 1)
    list_places = list_squares if pooled else list_pixels
    # addresses in `a` and in `out` for one tile, and the pixels of `out` in one
    a_list, out_list, together = (32, 8, 1) if pooled else (48, 48, 6)
    a_block = 4 if pooled else 1

    def convolve(
        thread: int,
        threads: int,
        x: TensorView,
        y: TensorView,
        window: PackedWeights,
        epilogue: Epilogue,
        groups: int,
        group_vectors: int,
        x_groups: int,
        block: int,
        lists: int,
        split_filters: int,
    ) -> None:
        """y = epilogue(x * weights): see Epilogue.

        x: of the first window; its pitches are from one output's window to the next (where pooled,
        from one pixel before pooling to the next). window.weights: of each group `group_vectors`
        vectors of filters, in panels, and the rest in single vectors. x_groups: where
        there stands for each group how many bytes its channels are from the first. block: outputs
        that are done together, a multiple of 6.
        lists: scratch, 64 block bytes a thread. split_filters: threads share the filters, not the
        outputs."""
        segments, count, length, weights = window
        lists += thread * 64 * block
        outs = lists + 8 * a_block * block
        full, panels = panels_of(group_vectors, PANEL)
        first, last, first_panel, last_panel = 0, y.n * y.h * y.w, 0, groups * panels
        if split_filters:
            first_panel, last_panel = part_of(thread, threads, last_panel, 1)
        else:
            first, last = part_of(thread, threads, last, together)
        for start in range(first, last, block):
            stop = min(start + block, last)
            n = list_places(lists, block, start, stop, x, y)
            for number in range(first_panel, last_panel):
                group = number // panels
                x_group = load_i64(x_groups + 8 * group)
                vector, width = panel_at(number - group * panels, full, PANEL)
                shift = (group * group_vectors + vector) * VECTOR
                mine = weights + count * length * shift
                step = share(width * VECTOR, n)
                finish = at_filters(epilogue, shift)
                i = 0
                while i < n:
                    later = ahead(mine, count * length, width * VECTOR, step, i, n)
                    pixels = (lists + i * a_list, x_group), (outs + i * out_list, shift)
                    numbers = (segments, count, length, mine), (later, step)
                    if width == PANEL:
                        wide(*pixels, *numbers, *finish)
                    elif can_pair and i + 1 < n:
                        twice(*pixels, *numbers, *finish)
                        i += 1
                    else:
                        narrow(*pixels, *numbers, *finish)
                    i += 1

    convolve.__name__ = name
    return kernel(convolve)


direct, direct_pooled = _make_kernel("direct", False), _make_kernel("direct_pooled", True)
"""The second keeps the largest of each 2x2 outputs; it adds no map."""


def scratch(spec: ConvolutionSpec) -> int:
    """Bytes a thread."""
    return 64 * spec.chosen.block


def row(spec: ConvolutionSpec, operands: Operands) -> Row:
    if spec.groups == 1:
        firsts, vectors = [0], operands.vectors
        window = windows(spec, operands, PANEL)
    else:
        firsts, length, vectors = parts_of(spec.x.shape[3], spec.filters, spec.groups)
        packed = operands.cached(
            "groups", lambda: pack(spec.weights, operands.factors, spec.groups)
        )
        window = operands.window(length, packed)
    return (direct_pooled if spec.pooled else direct).step(
        x=operands.windows,
        y=operands.y,
        window=window,
        epilogue=operands.epilogue(),
        groups=len(firsts),
        group_vectors=vectors,
        x_groups=operands.binding.integers([FLOAT * first for first in firsts]),
        block=spec.chosen.block,
        lists=operands.binding.scratch.ctypes.data,
        split_filters=int(spec.chosen.split_filters),
    )


def windows(spec: ConvolutionSpec, operands: Operands, panel: int) -> PackedWeights:
    """Where the numbers of a window of all channels lie, and the weights, `panel` vectors of
    filters in a panel."""
    length = spec.x.shape[3]
    if operands.x.pixel == FLOAT * padded(length):
        length = padded(length)
    return operands.window(length, operands.packed(Packing(0, length, panel, spec.backward)))


def parts_of(c: int, filters: int, groups: int) -> tuple[list[int], int, int]:
    """Whole vectors of filters, and for each part the channels that they see: the first one of each
    part, how many they are, and how many vectors of filters.

    As few groups are taken together as fill whole vectors; where none do, a part is one vector of
    filters, and all channels of the groups that it has filters of.
    """
    each, part, length = filters // groups, c // groups, vector_length()
    for together in range(1, groups + 1):
        if groups % together == 0 and together * each % length == 0:
            return [*range(0, c, together * part)], together * part, together * each // length
    firsts = [f // each * part for f in range(0, filters, length)]
    ends = [
        min(f + length - 1, filters - 1) // each * part + part for f in range(0, filters, length)
    ]
    most = max(end - first for first, end in zip(firsts, ends, strict=True))
    return [min(first, c - most) for first in firsts], most, 1


def pack(weights: np.ndarray, factors: np.ndarray | None, groups: int) -> np.ndarray:
    """The panels of each of `parts_of`: zeros where a filter does not see a channel."""
    filters, high, wide, part = weights.shape
    firsts, channels, vectors = parts_of(part * groups, filters, groups)
    each, together = filters // groups, vectors * vector_length()
    full = np.zeros((len(firsts) * together, high * wide, channels), np.float32)
    scaled = weights if factors is None else weights * factors[:filters].reshape(-1, 1, 1, 1)
    for f in range(filters):
        first = f // each * part - firsts[f // together]
        full[f, :, first : first + part] = scaled[f].reshape(high * wide, part)
    out = aligned(full.size + AHEAD)
    at = 0
    for matrix in full.reshape(len(firsts), together, -1):
        for first, last in _panel_ranges(together):
            piece = matrix[first:last].T
            out[at : at + piece.size] = piece.reshape(-1)
            at += piece.size
    return out


def _panel_ranges(filters: int) -> list[tuple[int, int]]:
    """First and last filter of each panel, then of each single vector that is left."""
    vectors = filters // vector_length()
    full = vectors // PANEL * PANEL
    ends = [*range(0, full + 1, PANEL), *range(full + 1, vectors + 1)]
    return [(a * vector_length(), b * vector_length()) for a, b in pairwise(ends)]
