"""Runs a table of steps: each thread walks it, and all meet after every step."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from darknet_py.ops.cpu.native.emit import (
    I32,
    I64,
    Builder,
    Value,
    const,
    declare,
    function,
    instruction,
    load_int,
    pointer,
)
from darknet_py.ops.cpu.native.kernel import MAX_ARGUMENTS, kernel

ROW = 8 * (MAX_ARGUMENTS + 1)
"""Bytes in a row of a table."""
BARRIER = 32
"""64-bit integers in a barrier: how many have come, and in another cache line how often all."""
_SPINS = 20_000


@kernel
def interpret(thread: int, threads: int, table: int, rows: int, barrier: int) -> None:
    """Runs every row: an address as Kernel.address gives, and the arguments after it."""
    for row in range(table, table + rows * ROW, ROW):
        call(get(row), thread, threads, row + 8)
        if threads > 1:
            meet(barrier, threads)


@function
def get(builder: Builder, address: Value) -> Value:
    """The 64-bit integer at an address."""
    return load_int(builder, address)


@instruction
def call(builder: Builder, address: Value, thread: Value, threads: Value, row: Value) -> None:
    kind = ir.FunctionType(I32, [I64, I64, I64])
    builder.call(builder.inttoptr(address, kind.as_pointer()), [thread, threads, row])


@instruction
def meet(builder: Builder, barrier: Value, threads: Value) -> None:
    """Waits until all threads are here: spins a while, then lets others have the core."""
    count = pointer(builder, barrier, I64)
    round_ = pointer(builder, builder.add(barrier, const(128)), I64)
    before = builder.load_atomic(round_, "seq_cst", 8)
    came = builder.atomic_rmw("add", count, const(1), "seq_cst")
    is_last = builder.icmp_signed("==", builder.add(came, const(1)), threads)
    with builder.if_else(is_last) as (last, other):
        with last:
            builder.store_atomic(const(0), count, "seq_cst", 8)
            builder.atomic_rmw("add", round_, const(1), "seq_cst")
        with other:
            _wait(builder, round_, before)


def _wait(builder: Builder, place: Any, value: Value) -> None:
    """Until the integer at a place is another."""
    spin = builder.append_basic_block("spin")
    check = builder.append_basic_block("check")
    give_way = builder.append_basic_block("give_way")
    done = builder.append_basic_block("done")
    start = builder.block
    builder.branch(spin)
    builder.position_at_end(spin)
    turns = builder.phi(I64)
    turns.add_incoming(const(0), start)
    same = builder.icmp_signed("==", builder.load_atomic(place, "seq_cst", 8), value)
    builder.cbranch(same, check, done)
    builder.position_at_end(check)
    more = builder.add(turns, const(1))
    turns.add_incoming(more, check)
    builder.cbranch(builder.icmp_signed(">", more, const(_SPINS)), give_way, spin)
    builder.position_at_end(give_way)
    builder.call(declare(builder, "sched_yield", I32, []), [])
    turns.add_incoming(more, give_way)
    builder.branch(spin)
    builder.position_at_end(done)
