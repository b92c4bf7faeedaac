"""Arrays between guard pages: reading or writing beyond their ends is SIGSEGV."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest import mock

import numpy as np

from darknet_py.ops.cpu.compile import allocate as memory
from darknet_py.ops.cpu.compile import program
from darknet_py.ops.cpu.compile.allocate import ALIGNMENT, FLOAT, Memory
from darknet_py.ops.cpu.compile.step import Binding

_PAGE = mmap.PAGESIZE
_FLOATS = _PAGE // FLOAT
_LINE = ALIGNMENT // FLOAT
_libc = ctypes.CDLL(None, use_errno=True)


def _forbid(address: int, size: int) -> None:
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0):
        raise OSError(ctypes.get_errno(), "mprotect")


class Guards:
    """Allocates; each array touches a forbidden page with its first value or its last one."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def zeros(self, shape: tuple[int, ...], dtype: Any = np.float32, alignment: int = 1) -> Any:
        """An array of zeros; with its end at a forbidden page, it is aligned at its start where
        that leaves no gap, else as little before the page as can be."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        inner = max(-(-size // _PAGE), 1) * _PAGE
        block = mmap.mmap(-1, inner + 2 * _PAGE)
        whole = np.frombuffer(block, np.uint8)  # keeps the block as long as it is needed
        address = whole.ctypes.data
        _forbid(address, _PAGE)
        _forbid(address + _PAGE + inner, _PAGE)
        start = _PAGE
        if self._random.random() < 0.7:
            start += (inner - size) // alignment * alignment
        return whole[start : start + size].view(dtype).reshape(shape)

    def copy(self, host: Any, dtype: Any = np.float32) -> Any:
        """What ops.array makes, between such pages."""
        values = np.asarray(host, dtype)
        out = self.zeros(values.shape, dtype)
        out[...] = values
        return out

    @contextmanager
    def around_programs(self) -> Iterator[None]:
        """Within the block the memory of programs is so guarded, and each map in their arenas."""
        guarded = self

        def aligned(floats: int) -> np.ndarray:
            found: np.ndarray = guarded.zeros((floats,), alignment=ALIGNMENT)
            return found

        def new(self: Memory, geometry: memory.Geometry) -> memory._Allocation:
            """A home with a forbidden page on either side, after the line that its own has."""
            size = -(-geometry.floats // _LINE) * _LINE + _LINE
            inner = max(-(-size // _FLOATS), 1) * _FLOATS
            self.__dict__.setdefault("forbidden", []).append(self.floats)
            start = self.floats + _FLOATS
            if guarded._random.random() < 0.7:
                start += inner - size
            self.floats += _FLOATS + inner
            return memory._Allocation(geometry, start)

        def bind(memory: Memory, arena: np.ndarray, *others: Any) -> Binding:
            arena = guarded.zeros((-(-max(memory.floats, 1) // _FLOATS) * _FLOATS,))
            for first in memory.__dict__.get("forbidden", []):
                _forbid(arena.ctypes.data + FLOAT * first, _PAGE)
            return Binding(memory, arena, *others)

        def keep(self: Binding, array: np.ndarray) -> int:
            self.kept.append(guarded.copy(array, array.dtype))
            return int(self.kept[-1].ctypes.data)

        plans = [
            module
            for name, module in sys.modules.items()
            if name.startswith("darknet_py.ops.cpu.compile") and hasattr(module, "aligned")
        ]
        with ExitStack() as stack:
            for module in plans:
                stack.enter_context(mock.patch.object(module, "aligned", aligned))
            stack.enter_context(mock.patch.object(Memory, "_new", new))
            stack.enter_context(mock.patch.object(program, "Binding", bind))
            stack.enter_context(mock.patch.object(Binding, "_keep", keep))
            yield
