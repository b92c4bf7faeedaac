"""Interprets a table of steps: each thread runs its part of each, with a barrier after it."""

from __future__ import annotations

from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import I32, I64, Builder, Value, instruction, load_i64
from darknet_py.ops.cpu.codegen.kernel import COLUMNS, kernel, part
from darknet_py.ops.cpu.runtime.atomics import barrier_wait

ROW = 8 * (COLUMNS + 1)
"""Bytes in a row of a table."""


@instruction
def call(builder: Builder, address: Value, thread: Value, threads: Value, row: Value) -> None:
    kind = ir.FunctionType(I32, [I64, I64, I64])
    builder.call(builder.inttoptr(address, kind.as_pointer()), [thread, threads, row])


@part
def walk(thread: int, threads: int, members: int, table: int, rows: int, barrier: int) -> None:
    """Runs every row: an address as Kernel.address gives, and the arguments after it.

    members: among whom a step's work is divided; where there are fewer threads, each does the work
    of several, so that results do not depend on it.
    """
    for row in range(table, table + rows * ROW, ROW):
        for member in range(thread, members, threads):
            call(load_i64(row), member, members, row + 8)
        if threads > 1:
            barrier_wait(barrier, threads)


@kernel
def interpret(thread: int, threads: int, table: int, rows: int, barrier: int) -> None:
    """Runs every row, by as many threads as there are members."""
    walk(thread, threads, threads, table, rows, barrier)
