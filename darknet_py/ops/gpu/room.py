"""Memory that is kept for later runs is given back where there is too little."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any, Protocol

import cupy as cp


class Holder(Protocol):
    """Who keeps memory."""

    def let_go(self) -> None:
        """Gives back what is not in use just now."""


_HOLDERS: weakref.WeakSet[Holder] = weakref.WeakSet()


def register(holder: Holder) -> None:
    """It is asked when memory is short."""
    _HOLDERS.add(holder)


def make_room() -> None:
    """All that is kept and not in use is the device's again."""
    for holder in list(_HOLDERS):
        holder.let_go()
    cp.get_default_memory_pool().free_all_blocks()


def allocate(size: int) -> Any:
    """Memory for what is outside of programs: cupy's allocator, which makes room once."""
    pool = cp.get_default_memory_pool()
    with suppress(cp.cuda.memory.OutOfMemoryError):
        return pool.malloc(size)
    make_room()
    return pool.malloc(size)
