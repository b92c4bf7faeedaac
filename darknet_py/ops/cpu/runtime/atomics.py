"""Atomic operations on integers, barriers, and POSIX condition variables."""

from __future__ import annotations

import sys

from llvmlite import ir

from darknet_py.ops.cpu.codegen import host
from darknet_py.ops.cpu.codegen.emit import (
    I32,
    I64,
    Builder,
    Value,
    const,
    declare,
    function,
    instruction,
    pointer,
)
from darknet_py.ops.cpu.codegen.kernel import part

LINE = 128
"""Bytes between integers that different threads write: two cache lines, as many processors fetch
two at a time."""
BARRIER = 2 * LINE // 8
"""64-bit integers in a barrier: how many have come, and in a line of its own how often all."""
_SPINS = 2000
"""Turns of a spinning thread before it yields its core: some 10 to 100 us."""


@function
def atomic_load(builder: Builder, address: Value) -> Value:
    """The 64-bit integer at an address, as it is now."""
    return builder.load_atomic(pointer(builder, address, I64), "seq_cst", 8)


@instruction
def atomic_store(builder: Builder, address: Value, value: Value) -> None:
    """Stores a 64-bit integer, after everything that was stored before."""
    builder.store_atomic(value, pointer(builder, address, I64), "seq_cst", 8)


@function
def atomic_add(builder: Builder, address: Value) -> Value:
    """Adds 1; the sum."""
    before = builder.atomic_rmw("add", pointer(builder, address, I64), const(1), "seq_cst")
    return builder.add(before, const(1))


@instruction
def pause(builder: Builder) -> None:
    """Tells the processor that this thread only waits: one that shares its core goes faster."""
    if host.architecture() == "x86_64":
        builder.call(declare(builder, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
    elif host.is_arm():
        hint = declare(builder, "llvm.aarch64.hint", ir.VoidType(), [I32])
        builder.call(hint, [ir.Constant(I32, 1)])


@instruction
def sched_yield(builder: Builder) -> None:
    """Lets another thread or process have the core."""
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"
    builder.call(declare(builder, name, I32, []), [])


@part
def wait_until(address: int, value: int) -> None:
    """Waits until the integer at an address has a value: spins a while, then yields."""
    turns = 0
    while atomic_load(address) != value:
        turns += 1
        if turns < _SPINS:
            pause()
        else:
            sched_yield()


@part
def barrier_wait(barrier: int, threads: int) -> None:
    """Waits until all threads are here."""
    rounds = barrier + LINE
    now = atomic_load(rounds)
    if atomic_add(barrier) == threads:
        atomic_store(barrier, 0)
        atomic_add(rounds)
    else:
        wait_until(rounds, now + 1)


MUTEX, CONDITION = 128, 128
"""Bytes of POSIX's, as many as any system needs."""


@instruction
def cond_init(builder: Builder, mutex: Value, condition: Value) -> None:
    """Prepares the memory of both."""
    _posix(builder, "pthread_mutex_init", mutex, const(0))
    _posix(builder, "pthread_cond_init", condition, const(0))


@instruction
def lock(builder: Builder, mutex: Value) -> None:
    _posix(builder, "pthread_mutex_lock", mutex)


@instruction
def unlock(builder: Builder, mutex: Value) -> None:
    _posix(builder, "pthread_mutex_unlock", mutex)


@instruction
def cond_wait(builder: Builder, condition: Value, mutex: Value) -> None:
    """Until woken, or for no reason; the mutex is let go meanwhile."""
    _posix(builder, "pthread_cond_wait", condition, mutex)


@instruction
def cond_broadcast(builder: Builder, condition: Value) -> None:
    _posix(builder, "pthread_cond_broadcast", condition)


def _posix(builder: Builder, name: str, *arguments: Value) -> None:
    # an address is passed as a pointer is, on all 64-bit systems
    builder.call(declare(builder, name, I32, [I64] * len(arguments)), arguments)
