"""Maps as kernels know them, and kernels run a thread at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import Kernel, TensorView
from darknet_py.ops.cpu.codegen.tile import PANEL

Array = np.ndarray
_ROW = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)

THREADS = (1, 2, 3)


def run(kernel: Kernel, threads: int = 1, **arguments: Any) -> None:
    """Each thread's part, one after the other: threads of a kernel do not wait for each other."""
    address, *row = kernel.step(**arguments)
    memory = np.array(row, np.int64)
    for thread in range(threads):
        status = _ROW(address)(thread, threads, memory.ctypes.data)
        assert status == 0, kernel.name


def aligned(count: int, dtype: str = "float32") -> Array:
    """Zeros that begin where a cache line does, and as many numbers behind them again."""
    size = np.dtype(dtype).itemsize
    memory = np.zeros((count + 256) * size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + count * size].view(dtype)


def copied(x: Array) -> Array:
    """A float32 copy, aligned."""
    copy = aligned(x.size).reshape(x.shape)
    copy[...] = x
    return copy


def padded(count: int) -> int:
    """A number of channels, made whole vectors."""
    return -(-count // vector_length()) * vector_length()


def channels(x: Array) -> Array:
    """Numbers (c,), padded with zeros."""
    copy = aligned(padded(x.size))
    copy[: x.size] = x
    return copy


def slopes(activation: str) -> Array:
    from darknet_py.ops.cpu.codegen.epilogue import SLOPES

    return copied(np.array(SLOPES[activation]))


class Map:
    """A map (n, h, w, c) with a border of zeros, channels padded, rubbish where anything may be."""

    def __init__(
        self, shape: Sequence[int], border: int = 1, tight: bool = False, wider: int = 0
    ) -> None:
        n, h, w, c = shape
        self.shape = n, h, w, c
        self.c_padded = c if tight else padded(c)
        self.pixel = 4 * (self.c_padded + wider * vector_length())
        # rows and pictures have something behind them that no border is
        self.row = self.pixel * (w + 2 * border + 1)
        self.image = self.row * (h + 2 * border + 1)
        self.memory = aligned((self.image * n + 8 * self.row) // 4)
        self.memory[...] = np.random.default_rng(7).normal(size=self.memory.size)
        strides = self.image, self.row, self.pixel, 4
        with_border = (n, h + 2 * border, w + 2 * border, self.c_padded)
        self.whole = np.lib.stride_tricks.as_strided(self.memory, with_border, strides)
        self.whole[...] = 0
        self.values = self.whole[:, border : h + border, border : w + border, :c]
        self.address = int(self.values.ctypes.data)
        self._rubbish = np.ones(self.memory.size, bool)
        flags = (self.image // 4, self.row // 4, self.pixel // 4, 1)
        np.lib.stride_tricks.as_strided(self._rubbish, with_border, flags)[...] = False
        self._before = self.memory[self._rubbish].copy()

    def is_sound(self) -> bool:
        """Whether border and padding are zeros still, and what is around was not written to."""
        rest = self.whole.copy()
        border = (rest.shape[1] - self.shape[1]) // 2
        _, h, w, c = self.shape
        rest[:, border : h + border, border : w + border, :c] = 0
        return not rest.any() and np.array_equal(self.memory[self._rubbish], self._before)

    @property
    def view(self) -> TensorView:
        """As a kernel is told of it."""
        vectors = self.c_padded // vector_length()
        return TensorView(self.address, *self.shape, vectors, self.image, self.row, self.pixel)


def map_of(x: Array, border: int = 1, tight: bool = False, wider: int = 0) -> Map:
    made = Map(x.shape, border, tight, wider)
    made.values[...] = x
    return made


def address(x: Array) -> int:
    return int(x.ctypes.data)


def panels(matrix: Array, panel: int = PANEL) -> Array:
    """(parts, rows, filters) in the order of packed weights: see packing.py."""
    parts, rows, filters = matrix.shape
    length = vector_length()
    wide = np.zeros((parts, rows, padded(filters)))
    wide[..., :filters] = matrix
    full = padded(filters) // length // panel * panel * length
    starts = [*range(0, full, panel * length), *range(full, padded(filters), length), None]
    return np.concatenate([wide[..., a:b].ravel() for a, b in pairwise(starts)])
