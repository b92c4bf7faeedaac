"""Direct convolution of any size, stride, padding and groups; 1x1 and dense layers are cases of it.

Tiles take any pixels: each thread lists, for a block of output pixels, where each one's window
begins and where its result goes (lists.py), and then runs over the filters.
"""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Value,
    instruction,
    load_int,
    offset,
)
from darknet_py.ops.cpu.codegen.epilogue import Finish, emit_finish, largest
from darknet_py.ops.cpu.codegen.indexing import panel_at, panels_of, part_of
from darknet_py.ops.cpu.codegen.indirection_buffer import list_pixels, list_squares, listed
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR, ahead, emit_sums, share

POOLED = 4
"""Pixels in a tile whose largest value alone is kept: two rows of two."""


def make_tile(pixels: int, vectors: int, pooled: bool = False) -> Instruction:
    """A tile whose pixels stand in lists of addresses: `a`, where windows begin, and `out`.

    pooled: the pixels become one, the largest, and `out` has one address. finish: see Finish.
    """

    @instruction
    def tile(
        builder: Builder,
        a: Value,
        a_shift: Value,
        out: Value,
        out_shift: Value,
        segments: Value,
        count: Value,
        length: Value,
        weights: Value,
        next_weights: Value,
        next_step: Value,
        *finish: Value,
    ) -> None:
        starts = listed(builder, a, pixels, a_shift)
        # behind the last tile's there is some other address: asking for it harms nothing
        following = builder.add(load_int(builder, offset(builder, a, 8 * pixels)), a_shift)
        later = next_weights, next_step
        sums = emit_sums(
            builder, starts, segments, count, length, weights, vectors, following, later
        )
        places = listed(builder, out, 1 if pooled else pixels, out_shift)
        emit_finish(builder, sums, places, Finish(*finish), largest if pooled else None)

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

    def convolve(  # type: ignore[no-untyped-def]
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
        segments,
        count,
        length,
        weights,
        groups,
        group_vectors,
        x_group,
        biases,
        slopes,
        block,
        lists,
        split_filters,
    ):
        """y = activation(x * weights + biases [+ added]) [+ added_after, or through a gate].

        x, y: where the first window begins, and the first output. batch, out_h, out_w: of the
        outputs. *_image, *_row, *_pixel: bytes from one output to the next (in x times the stride;
        where pooled, from one pixel before pooling to the next). added, added_after: bytes from y
        to a map of its shape, 0 for none. gate: 0, or the address of two slopes, by which the map
        at added_after lets the result through. segments, count, length: see tile.py. weights: of
        each group `group_vectors` vectors of filters, in panels, and the rest in single vectors.
        x_group: bytes from one group's channels to the next's. block: outputs that are done
        together, a multiple of 6. lists: scratch, 64 block bytes a thread. split_filters: threads
        share the filters, not the outputs.
        """
        lists += thread * 64 * block
        outs = lists + 8 * a_block * block
        windows, outputs = (x, x_image, x_row, x_pixel), (y, y_image, y_row, y_pixel)
        full, panels = panels_of(group_vectors, PANEL)
        first, last, first_panel, last_panel = 0, batch * out_h * out_w, 0, groups * panels
        if split_filters:
            first_panel, last_panel = part_of(thread, threads, last_panel, 1)
        else:
            first, last = part_of(thread, threads, last, together)
        for start in range(first, last, block):
            stop = min(start + block, last)
            n = list_places(lists, block, start, stop, (out_h, out_w), windows, outputs)
            for number in range(first_panel, last_panel):
                group = number // panels
                vector, width = panel_at(number - group * panels, full, PANEL)
                shift = (group * group_vectors + vector) * VECTOR
                mine = weights + count * length * shift
                step = share(width * VECTOR, n)
                finish = biases + shift, slopes, added, added_after, gate
                i = 0
                while i < n:
                    later = ahead(mine, count * length, width * VECTOR, step, i, n)
                    pixels = lists + i * a_list, group * x_group, outs + i * out_list, shift
                    numbers = segments, count, length, mine, later, step
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
