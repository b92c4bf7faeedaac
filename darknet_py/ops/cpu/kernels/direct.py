"""Direct convolution of any size, stride, padding and groups; 1x1 and dense layers are cases of it.

Tiles take any pixels: each thread lists, for a block of output pixels, where each one's window
begins and where its result goes, and then runs over the filters (Dukhan 2019, "The indirect
convolution algorithm", with the lists made where they are used).
"""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.ops.cpu.kernels.epilogue import (
    emit_activation,
    emit_added,
    emit_after,
    emit_biases,
    emit_store,
)
from darknet_py.ops.cpu.kernels.tile import (
    AHEAD,
    PANEL,
    PIXELS,
    VECTOR,
    Sums,
    ahead,
    emit_sums,
    share,
)
from darknet_py.ops.cpu.native.emit import (
    Builder,
    Instruction,
    Value,
    instruction,
    load_int,
    offset,
    pointer,
)
from darknet_py.ops.cpu.native.kernel import Kernel, kernel, part

POOLED = 4
"""Pixels in a tile whose largest value alone is kept: two rows of two."""


def make_tile(pixels: int, vectors: int, pooled: bool = False) -> Instruction:
    """A tile whose pixels stand in lists of addresses: `a`, where windows begin, and `out`.

    pooled: the pixels become one, the largest, and `out` has one address.
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
        biases: Value,
        slopes: Value,
        added: Value,
        added_after: Value,
        gate: Value,
    ) -> None:
        starts = shifted(builder, a, pixels, a_shift)
        # behind the last tile's there is some other address: asking for it harms nothing
        following = builder.add(load_int(builder, offset(builder, a, 8 * pixels)), a_shift)
        later = next_weights, next_step
        sums = emit_sums(
            builder, starts, segments, count, length, weights, vectors, following, later
        )
        places = shifted(builder, out, 1 if pooled else pixels, out_shift)
        emit_finish(builder, sums, places, biases, slopes, added, added_after, gate, pooled)

    return tile


def emit_finish(
    builder: Builder,
    sums: Sums,
    places: Sequence[Value],
    biases: Value,
    slopes: Value,
    added: Value,
    added_after: Value,
    gate: Value,
    pooled: bool = False,
) -> None:
    """What becomes of sums before they are stored at `places`, a row of vectors at each."""
    sums = emit_biases(builder, biases, sums)
    if pooled:
        sums = [_largest(sums)]
    else:
        others = [builder.add(place, added) for place in places]
        sums = emit_added(builder, added, others, sums)
    sums = [emit_activation(builder, slopes, row) for row in sums]
    if not pooled:
        others = [builder.add(place, added_after) for place in places]
        sums = emit_after(builder, added_after, gate, others, sums)
    emit_store(places, sums)


def shifted(builder: Builder, addresses: Value, count: int, shift: Value) -> list[Value]:
    """`count` addresses from a list, so many bytes further on."""
    return [
        builder.add(load_int(builder, offset(builder, addresses, 8 * i)), shift)
        for i in range(count)
    ]


def _largest(sums: Sums) -> list:  # type: ignore[type-arg]
    best = sums[0]
    for row in sums[1:]:
        best = [x.max(y) for x, y in zip(best, row, strict=True)]
    return best


@instruction
def put(builder: Builder, address: Value, value: Value) -> None:
    """Stores a 64-bit integer."""
    builder.store(value, pointer(builder, address, value.type))


@part
def list_pixels(  # type: ignore[no-untyped-def]
    lists, block, first, last, x, y, out_h, out_w, x_image, x_row, x_pixel, y_image, y_row, y_pixel
):
    """Lists windows and outputs of pixels first to last - 1, and the last again to fill a tile."""
    picture = first // (out_h * out_w)
    row = (first - picture * out_h * out_w) // out_w
    column = first - (picture * out_h + row) * out_w
    count = (last - first + 5) // 6 * 6
    for i in range(count):
        put(lists + 8 * i, x + picture * x_image + row * x_row + column * x_pixel)
        put(lists + 8 * (block + i), y + picture * y_image + row * y_row + column * y_pixel)
        if first + i + 1 < last:  # counted, as a division takes as long as half a tile
            column += 1
            if column == out_w:
                column, row = 0, row + 1
                if row == out_h:
                    row, picture = 0, picture + 1
    return count


@part
def _list_squares(  # type: ignore[no-untyped-def]
    lists, block, first, last, x, y, out_h, out_w, x_image, x_row, x_pixel, y_image, y_row, y_pixel
):
    """The same for pooled outputs first to last - 1: the windows of four pixels each."""
    picture = first // (out_h * out_w)
    row = (first - picture * out_h * out_w) // out_w
    column = first - (picture * out_h + row) * out_w
    for i in range(last - first):
        corner = x + picture * x_image + 2 * row * x_row + 2 * column * x_pixel
        put(lists + 32 * i, corner)
        put(lists + 32 * i + 8, corner + x_pixel)
        put(lists + 32 * i + 16, corner + x_row)
        put(lists + 32 * i + 24, corner + x_row + x_pixel)
        put(lists + 8 * (4 * block + i), y + picture * y_image + row * y_row + column * y_pixel)
        column += 1
        if column == out_w:
            column, row = 0, row + 1
            if row == out_h:
                row, picture = 0, picture + 1
    return last - first


def _make_kernel(name: str, pooled: bool) -> Kernel:
    pixels = POOLED if pooled else PIXELS
    wide, narrow = make_tile(pixels, PANEL, pooled), make_tile(pixels, 1, pooled)
    # the sums of one vector and six pixels are too few to keep a core busy
    can_pair, twice = not pooled, narrow if pooled else make_tile(2 * pixels, 1)
    list_places = _list_squares if pooled else list_pixels
    # addresses in `a` and in `out` for one tile, and the pixels of `out` in one
    a_list, out_list, together = (32, 8, 1) if pooled else (48, 48, 6)
    panel_size, vector_size = PANEL, VECTOR
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
        total = batch * out_h * out_w
        full = group_vectors // panel_size
        panels = full + group_vectors - full * panel_size
        first, last, first_panel, last_panel = 0, total, 0, groups * panels
        if split_filters:
            first_panel = groups * panels * thread // threads
            last_panel = groups * panels * (thread + 1) // threads
        else:
            tiles = (total + together - 1) // together
            first = min(tiles * thread // threads * together, total)
            last = min(tiles * (thread + 1) // threads * together, total)
        size = count * length * vector_size
        for start in range(first, last, block):
            stop = min(start + block, last)
            n = (
                list_places(
                    lists,
                    block,
                    start,
                    stop,
                    x,
                    y,
                    out_h,
                    out_w,
                    x_image,
                    x_row,
                    x_pixel,
                    y_image,
                    y_row,
                    y_pixel,
                )
                // together
            )
            for number in range(first_panel, last_panel):
                group = number // panels
                panel = number - group * panels
                vector = group * group_vectors + panel * panel_size
                if panel >= full:
                    vector = group * group_vectors + full * panel_size + panel - full
                shift = vector * vector_size
                mine = weights + size * vector
                width = panel_size if panel < full else 1
                step = share(width * vector_size, n)
                i = 0
                while i < n:
                    later = ahead(mine, count * length, width * vector_size, step, i, n)
                    a, out = lists + i * a_list, outs + i * out_list
                    if panel < full:
                        wide(
                            a,
                            group * x_group,
                            out,
                            shift,
                            segments,
                            count,
                            length,
                            mine,
                            later,
                            step,
                            biases + shift,
                            slopes,
                            added,
                            added_after,
                            gate,
                        )
                    elif can_pair and i + 1 < n:
                        twice(
                            a,
                            group * x_group,
                            out,
                            shift,
                            segments,
                            count,
                            length,
                            mine,
                            later,
                            step,
                            biases + shift,
                            slopes,
                            added,
                            added_after,
                            gate,
                        )
                        i += 1
                    else:
                        narrow(
                            a,
                            group * x_group,
                            out,
                            shift,
                            segments,
                            count,
                            length,
                            mine,
                            later,
                            step,
                            biases + shift,
                            slopes,
                            added,
                            added_after,
                            gate,
                        )
                    i += 1

    convolve.__name__ = name
    return kernel(convolve)


direct, direct_pooled = _make_kernel("direct", False), _make_kernel("direct_pooled", True)
"""The second keeps the largest of each 2x2 outputs; it adds no map."""


_one_wide, _one_narrow = make_tile(1, 8), make_tile(1, 1)
_vector, _ahead = VECTOR, AHEAD


@kernel
def direct_one(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    y,
    segments,
    count,
    length,
    weights,
    vectors,
    biases,
    slopes,
    list_,
    added,
    added_after,
    gate,
):
    """The same for a single output pixel, as of a dense layer: each weight is read once.

    weights: panels of eight vectors of filters, then single ones; list_: scratch, 16 bytes a
    thread.
    """
    list_ += thread * 16
    put(list_, x)
    put(list_ + 8, y)
    full = vectors // 8
    panels = full + vectors - full * 8
    size = count * length * _vector
    for panel in range(panels * thread // threads, panels * (thread + 1) // threads):
        vector = panel * 8 if panel < full else full * 8 + panel - full
        shift = vector * _vector
        mine = weights + size * vector
        if panel < full:
            _one_wide(
                list_,
                0,
                list_ + 8,
                shift,
                segments,
                count,
                length,
                mine,
                mine + _ahead,
                8 * _vector,
                biases + shift,
                slopes,
                added,
                added_after,
                gate,
            )
        else:
            _one_narrow(
                list_,
                0,
                list_ + 8,
                shift,
                segments,
                count,
                length,
                mine,
                mine + _ahead,
                _vector,
                biases + shift,
                slopes,
                added,
                added_after,
                gate,
            )
