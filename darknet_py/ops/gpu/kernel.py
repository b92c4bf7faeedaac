"""CUDA kernels: the sources beside this file, compiled when they are first launched.

All of them are one module for each type of map. cupy keeps what it compiled on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cupy as cp
import numpy as np

from darknet_py.ops.array_types import Array

CUDNN, COLUMNS, KERNEL, CUPY = "cudnn", "columns + cublas", "kernel", "cupy"
"""Algorithms: the first of these that a call uses is the one that `darknet plan` shows."""

_used: list[str] | None = None


def note_algorithm(algorithm: str) -> None:
    """To be called by what computes."""
    if _used is not None:
        _used.append(algorithm)


@contextmanager
def note_algorithms() -> Iterator[list[str]]:
    """A list that gets what is used within the block."""
    global _used  # noqa: PLW0603
    used: list[str] = []
    _used = used
    try:
        yield used
    finally:
        _used = None


def algorithm(used: list[str]) -> str:
    """The one to show; cupy's own kernels note nothing."""
    return next((each for each in (CUDNN, COLUMNS, KERNEL) if each in used), CUPY)


HALF = np.dtype(np.uint16)
"""The type of arrays of bfloat16, which numpy has not: only our kernels and cuDNN read them."""

TYPES = {
    np.dtype(np.float32): "MAP_REAL=float",
    np.dtype(np.float64): "MAP_REAL=double",
    HALF: "MAP_BF16",
}
"""The sources' macro for each type of map."""

_SOURCES = Path(__file__).with_name("cuda")
THREADS = 256
"""Of a block; the sources rely on it."""
_BLOCKS = 1 << 16
"""Of one picture, at most: threads loop where there are more values."""
_PICTURES = 65535
_PLACES = 1 << 31
_ROW_BLOCKS = 2048
"""Enough to fill the largest device; threads loop where there are more pixels."""
_WIDTH = 4


def source() -> str:
    """The CUDA C++ of all kernels."""
    headers = (_SOURCES / name for name in ("prelude.cuh", "activations.cuh"))
    files = *headers, *sorted(_SOURCES.glob("*.cu"))
    return "\n".join(path.read_text(encoding="ascii") for path in files)


def options(dtype: Any) -> tuple[str, ...]:
    """The compiler's options for maps of this type."""
    return ("--std=c++17", f"-D{TYPES[np.dtype(dtype)]}")


def sums_of(dtype: Any) -> Any:
    """The type of parameters and sums that go with maps of this type."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def has_kernels(*maps: Array) -> bool:
    """Whether kernels take these arrays: one type, of those that they are compiled for."""
    return maps[0].dtype in TYPES and len({x.dtype for x in maps}) == 1


def launch(name: str, dtype: Any, grid: tuple[int, ...], *arguments: Any) -> None:
    """Runs a kernel for maps of this type on a grid of blocks. Arrays must be contiguous."""
    if 0 not in grid:
        note_algorithm(KERNEL)
        function = _function(name, np.dtype(dtype), cp.cuda.Device().id)
        function(grid, (THREADS,), tuple(map(_argument, arguments)))


def launch_each(name: str, dtype: Any, n: int, size: int, *arguments: Any) -> None:
    """Runs a kernel with a thread for each of `size` values of n pictures, or one array."""
    assert size < _PLACES, f"{name}: a picture of {size} values"
    blocks = min(-(-size // THREADS), _BLOCKS)
    launch(name, dtype, (blocks, min(n, _PICTURES)), *arguments)


def launch_rows(name: str, arrays: Sequence[Array], *numbers: Any) -> None:
    """Runs a kernel over arrays: maps of one shape (..., c), the first of which is written, and
    parameters (c,). After them it is given the pixels, c and `width_of`."""
    first = arrays[0]
    if first.size:
        c = first.shape[-1]
        width = width_of(c, arrays)
        blocks = min(-(-first.size // (width * THREADS)), _ROW_BLOCKS)
        launch(name, first.dtype, (blocks,), *arrays, first.size // c, c, width, *numbers)


def width_of(c: int, arrays: Sequence[Array]) -> int:
    """How many channels a thread reads and writes at once, 4 or 1: full memory bandwidth takes 16
    bytes a thread, which must be aligned."""
    aligned = all(x.data.ptr % (_WIDTH * x.dtype.itemsize) == 0 for x in arrays)
    return _WIDTH if c % _WIDTH == 0 and aligned else 1


def contiguous(x: Array) -> Array:
    """x, or a copy whose values lie in order."""
    return x if x.flags.c_contiguous else x.copy()


@cache
def _function(name: str, dtype: Any, device: int) -> Any:
    return _module(dtype, device).get_function(name)


@cache
def _module(dtype: Any, device: int) -> Any:
    # a module belongs to the device on which it was loaded
    return cp.RawModule(code=source(), options=options(dtype))


def _argument(value: Any) -> Any:
    """Kernels take pointers, 64-bit integers and doubles."""
    if isinstance(value, float):
        return np.float64(value)
    return np.int64(value) if isinstance(value, int) else value
