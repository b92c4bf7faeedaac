"""The processor's peak, measured: tiles on numbers that stay in its first cache."""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from darknet_py.ops.cpu.codegen.emit import Builder, Value, const, instruction, offset, store
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR, emit_sums
from darknet_py.ops.cpu.compile.allocate import aligned
from darknet_py.ops.cpu.compile.step import run_row
from darknet_py.ops.cpu.runtime.threads import thread_count

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
def multiply(thread: int, threads: int, numbers: int, times: int) -> None:
    """Multiplies so many tiles. numbers: ROOM floats a thread, and a tile's sums behind them."""
    here = numbers + thread * 2 * _room
    for _ in range(times):
        _tile(here, here + _a, here + _room)


_TIMES = 20_000


@cache
def peak() -> float:
    """GFLOP/s of all threads, on numbers that stay in the first cache: the best of ten runs."""
    numbers = aligned(2 * ROOM * thread_count())
    row = multiply.step(numbers=numbers.ctypes.data, times=_TIMES)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        run_row(row)
        seconds.append(time.perf_counter() - start)
    return float(OPERATIONS * _TIMES * thread_count() / np.min(seconds) / 1e9)
