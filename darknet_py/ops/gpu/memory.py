"""Memory of programs, in the order of their streams: kept for later runs, and freed where there is
too little; and pinned memory for arrays from the host, which the device reads by itself."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import Any, Protocol

import cupy as cp
import numpy as np
from cupyx import empty_pinned

from darknet_py.ops.array_types import Array


class Pool:
    """A stream and its memory: the next array reuses it without the host waiting.

    The memory is freed with the last reference (cupy would keep it); arrays in it must have gone
    before.
    """

    def __init__(self) -> None:
        self.stream = cp.cuda.Stream(non_blocking=True)
        self._was_short = [False]
        self._pool = cp.cuda.MemoryPool(partial(_allocate, self._was_short))

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
        """Begins what `has_all` is about."""
        self._was_short[0] = bool(self._pool.get_limit())

    def has_all(self) -> bool:
        """Whether no memory that arrays had since `begin` was freed. Where memory ends, cupy frees
        what no array has just then, though a graph may have its address."""
        return not self._was_short[0]


def _allocate(was_short: list[bool], size: int) -> Any:
    """Memory of the device for a pool."""
    try:
        return cp.cuda.MemoryPointer(cp.cuda.Memory(size), 0)
    except cp.cuda.runtime.CUDARuntimeError:
        was_short[0] = True
        raise


class Holder(Protocol):
    """An owner of memory."""

    def release(self) -> None:
        """Frees what is not in use."""


_HOLDERS: weakref.WeakSet[Holder] = weakref.WeakSet()


def register(holder: Holder) -> None:
    """Its `release` is called when memory is short."""
    _HOLDERS.add(holder)


def release_unused() -> None:
    """Frees all memory that is kept and not in use."""
    for holder in list(_HOLDERS):
        holder.release()
    cp.get_default_memory_pool().free_all_blocks()


def allocate(size: int) -> Any:
    """cupy's allocator outside of programs; where memory ends it frees what is unused, once."""
    pool = cp.get_default_memory_pool()
    with suppress(cp.cuda.memory.OutOfMemoryError):
        return pool.malloc(size)
    release_unused()
    return pool.malloc(size)


_PIECE = 1 << 19
"""Numbers: a large array goes in pieces, so that the first travels while others are copied."""
_THREADS = 4
"""One thread copies at less than half of what the bus to the device carries."""


class StagingBuffer:
    """Pinned memory for arrays of one shape. `device` is where the device has the last one."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.device: Array = cp.empty(shape, cp.float32)
        self._pinned = empty_pinned(shape, np.float32)

    def send(self, x: np.ndarray, stream: Any) -> None:
        """x: float32, of this shape; may change on return. The one before has arrived."""
        if x.size <= _PIECE or not x.flags.c_contiguous:
            self._pinned[...] = x
            self.device.set(self._pinned, stream=stream)
            return
        given, pinned = x.reshape(-1), self._pinned.reshape(-1)
        device = self.device.reshape(-1)
        parts = [slice(first, first + _PIECE) for first in range(0, x.size, _PIECE)]
        copies = [_copiers().submit(np.copyto, pinned[part], given[part]) for part in parts]
        for part, copy in zip(parts, copies, strict=True):
            copy.result()
            device[part].set(pinned[part], stream=stream)


@cache
def _copiers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="darknet-staging")
