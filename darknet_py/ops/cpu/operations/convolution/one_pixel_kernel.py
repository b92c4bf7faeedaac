"""Direct convolution to a single output pixel, as of a dense layer: each weight is read once."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.indexing import panel_at, panels_of, part_of
from darknet_py.ops.cpu.codegen.indirection_buffer import put
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import AHEAD, VECTOR
from darknet_py.ops.cpu.operations.convolution.direct_kernel import make_tile

ONE_PANEL = 8
"""Vectors of filters in a panel: one pixel leaves registers for more than other tiles have."""

_wide, _narrow = make_tile(1, ONE_PANEL), make_tile(1, 1)


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
    """weights: panels of eight vectors of filters, then single ones; list_: scratch, 16 bytes a
    thread. The rest as direct's."""
    list_ += thread * 16
    put(list_, x)
    put(list_ + 8, y)
    full, panels = panels_of(vectors, ONE_PANEL)
    first, last = part_of(thread, threads, panels, 1)
    for number in range(first, last):
        vector, width = panel_at(number, full, ONE_PANEL)
        shift = vector * VECTOR
        mine = weights + count * length * shift
        numbers = list_, 0, list_ + 8, shift, segments, count, length, mine, mine + AHEAD
        finish = biases + shift, slopes, added, added_after, gate
        if width == ONE_PANEL:
            _wide(*numbers, ONE_PANEL * VECTOR, *finish)
        else:
            _narrow(*numbers, VECTOR, *finish)
