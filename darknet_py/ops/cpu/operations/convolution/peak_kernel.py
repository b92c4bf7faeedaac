"""The most that a core multiplies: tiles on numbers that stay in its first cache."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import Builder, Value, const, instruction, offset, store
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR, emit_sums

NUMBERS = 128
"""In a segment of the tile."""
ROOM = (PIXELS + PANEL * vector_length()) * NUMBERS + 4096 // 4
"""Floats that it reads, each thread its own."""
OPERATIONS = 2 * PIXELS * PANEL * vector_length() * NUMBERS
"""Multiplications and additions of a tile."""


@instruction
def tile(builder: Builder, a: Value, b: Value, out: Value) -> None:
    starts = [offset(builder, a, 4 * NUMBERS * i) for i in range(PIXELS)]
    sums = emit_sums(builder, starts, None, const(1), const(NUMBERS), b, PANEL)
    for i, row in enumerate(sums):
        for j, x in enumerate(row):
            store(x, offset(builder, out, VECTOR * (PANEL * i + j)))


_tile, _a, _room = tile, 4 * PIXELS * NUMBERS, 4 * ROOM


@kernel
def multiply(thread, threads, numbers, times):  # type: ignore[no-untyped-def]
    """Multiplies so many tiles. numbers: ROOM floats a thread, and a tile's sums behind them."""
    here = numbers + thread * 2 * _room
    for _ in range(times):
        _tile(here, here + _a, here + _room)
