"""Memory: of a program, in the order of its stream; kept for later runs, and given back where there
is too little."""

from __future__ import annotations

import weakref
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import cupy as cp


class Pool:
    """A stream and its memory: what one array had, the next one has, without the host waiting.

    The memory goes back to the device with the last reference: cupy itself keeps what a forgotten
    pool has. Arrays in it must have gone before.
    """

    def __init__(self) -> None:
        self.stream = cp.cuda.Stream(non_blocking=True)
        self._was_short = [False]
        self._pool = cp.cuda.MemoryPool(partial(_taken, self._was_short))

    def __del__(self) -> None:
        self.free()

    def free(self) -> None:
        """Gives back what no array has."""
        self._pool.free_all_blocks()

    def malloc(self, size: int) -> Any:
        """cupy's allocator."""
        return self._pool.malloc(size)

    def has_room(self, size: int) -> bool:
        """Whether there are so many bytes in one piece; arrays of this stream will share it."""
        try:
            self.malloc(size)
        except cp.cuda.memory.OutOfMemoryError:
            return False
        return True

    def begin(self) -> None:
        """From now on it is watched: see `has_all`."""
        self._was_short[0] = bool(self._pool.get_limit())

    def has_all(self) -> bool:
        """Whether what arrays have had since `begin` is here still. Where memory ends, cupy gives
        back what is free just then, though a graph may have its address."""
        return not self._was_short[0]


def _taken(was_short: list[bool], size: int) -> Any:
    """Memory of the device for a pool."""
    try:
        return cp.cuda.MemoryPointer(cp.cuda.Memory(size), 0)
    except cp.cuda.runtime.CUDARuntimeError:
        was_short[0] = True
        raise


class Holder(Protocol):
    """Who keeps memory."""

    def release(self) -> None:
        """Gives back what is not in use just now."""


_HOLDERS: weakref.WeakSet[Holder] = weakref.WeakSet()


def register(holder: Holder) -> None:
    """It is asked when memory is short."""
    _HOLDERS.add(holder)


def release_unused() -> None:
    """All that is kept and not in use is the device's again."""
    for holder in list(_HOLDERS):
        holder.release()
    cp.get_default_memory_pool().free_all_blocks()


def allocate(size: int) -> Any:
    """Memory for what is outside of programs: cupy's allocator, which frees what is unused once."""
    pool = cp.get_default_memory_pool()
    with suppress(cp.cuda.memory.OutOfMemoryError):
        return pool.malloc(size)
    release_unused()
    return pool.malloc(size)
