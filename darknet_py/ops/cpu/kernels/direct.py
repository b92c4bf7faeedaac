"""Direct convolution of any size, stride and padding, 1x1 and dense layers among them.

Tiles take any pixels: each thread lists, for a block of output pixels, where each one's window
begins and where its result goes, and then runs over the filters. (Dukhan 2019, "The indirect
convolution algorithm", with the lists made where they are used.)
"""

from __future__ import annotations

from darknet_py.ops.cpu.kernels.epilogue import (
    emit_activation,
    emit_added,
    emit_biases,
    emit_store,
)
from darknet_py.ops.cpu.kernels.tile import PANEL, PIXELS, VECTOR, emit_sums
from darknet_py.ops.cpu.native.emit import (
    Builder,
    Instruction,
    Value,
    const,
    instruction,
    load_int,
    offset,
    pointer,
)
from darknet_py.ops.cpu.native.interpreter import get
from darknet_py.ops.cpu.native.kernel import kernel, part

POOLED = 4
"""Pixels in a tile whose largest value alone is kept."""


def make_tile(pixels: int, vectors: int, pooled: bool = False) -> Instruction:
    """A tile whose pixels stand in lists of addresses: a, out, and of a map to add.

    pooled: four pixels become one, the largest, stored at the first of `out`.
    """

    @instruction
    def tile(
        builder: Builder,
        a: Value,
        out: Value,
        segments: Value,
        count: Value,
        length: Value,
        weights: Value,
        shift: Value,
        biases: Value,
        slopes: Value,
        added: Value,
    ) -> None:
        starts = [load_int(builder, offset(builder, a, 8 * i)) for i in range(pixels)]
        sums = emit_sums(builder, starts, segments, count, length, weights, vectors)
        sums = emit_biases(builder, biases, sums)
        places = [
            builder.add(load_int(builder, offset(builder, out, 8 * i)), shift)
            for i in range(1 if pooled else pixels)
        ]
        if pooled:
            best = sums[0]
            for row in sums[1:]:
                best = [x.max(y) for x, y in zip(best, row, strict=True)]
            sums = [best]
        else:
            others = [builder.add(place, added) for place in places]
            sums = emit_added(builder, added, others, sums)
        emit_store(places, [emit_activation(builder, slopes, row) for row in sums])

    return tile


@instruction
def put(builder: Builder, address: Value, value: Value) -> None:
    """Stores a 64-bit integer."""
    builder.store(value, pointer(builder, address, value.type))


_wide, _narrow = make_tile(PIXELS, PANEL), make_tile(PIXELS, 1)
_one_wide, _one_narrow = make_tile(1, 8), make_tile(1, 1)
_pool_wide, _pool_narrow = make_tile(POOLED, PANEL, pooled=True), make_tile(POOLED, 1, pooled=True)
_panel = PANEL


@part
def _blocks(first, last, block, x, y, lists, out_h, out_w, x_image, x_row, x_pixel, y_image, y_row, y_pixel, pixels):  # type: ignore[no-untyped-def]
    """Lists the addresses of output pixels first to last - 1; the last one again to fill a tile."""
    count = (last - first + pixels - 1) // pixels * pixels
    for i in range(count):
        place = min(first + i, last - 1)
        picture = place // (out_h * out_w)
        place -= picture * out_h * out_w
        row = place // out_w
        column = place - row * out_w
        put(lists + 8 * i, x + picture * x_image + row * x_row + column * x_pixel)
        put(lists + 8 * (block + i), y + picture * y_image + row * y_row + column * y_pixel)
    return count


@kernel
def direct(
    thread, threads, x, y, added, batch, out_h, out_w, x_image, x_row, x_pixel,  # noqa: E501
    y_image, y_row, y_pixel, segments, count, length, weights, panels, vectors, biases, slopes,
    block, lists, split_filters,
):  # type: ignore[no-untyped-def]
    """y = activation(x * weights + biases [+ added]).

    x, y: where the first window begins, and the first output; *_image, *_row, *_pixel: bytes from
    one output to the next (in x times the stride). added: bytes from y to a map of its shape, 0 for
    none. weights: panels of `_panel` vectors of filters, the last one in single vectors. block:
    pixels that are done together; lists: scratch for 2 * block addresses a thread.
    """
    lists += thread * 16 * block
    total = batch * out_h * out_w
    first, last = 0, total
    first_panel, last_panel = 0, panels
    if split_filters:
        first_panel, last_panel = panels * thread // threads, panels * (thread + 1) // threads
    else:
        tiles = (total + 5) // 6
        first = min(tiles * thread // threads * 6, total)
        last = min(tiles * (thread + 1) // threads * 6, total)
    size = count * length * VECTOR
    full = vectors // _panel
    for start in range(first, last, block):
        stop = min(start + block, last)
        pixels = _blocks(start, stop, block, x, y, lists, out_h, out_w, x_image, x_row, x_pixel, y_image, y_row, y_pixel, 6)
        for panel in range(first_panel, last_panel):
            vector = panel * _panel
            if panel >= full:
                vector = full * _panel + panel - full
            shift = vector * VECTOR
            for i in range(0, pixels, 6):
                here = lists + 8 * i
                if panel < full:
                    _wide(here, here + 8 * block, segments, count, length, weights + size * vector, shift, biases + shift, slopes, added)
                else:
                    _narrow(here, here + 8 * block, segments, count, length, weights + size * vector, shift, biases + shift, slopes, added)
