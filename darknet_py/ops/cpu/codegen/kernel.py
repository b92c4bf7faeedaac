"""Kernels: functions of (thread, threads, arguments...) that a table of steps can name.

    @kernel
    def scale(thread, threads, x, y, count): ...

    scale.step(x=..., y=..., count=...)    # a row of a table: address, arguments

Arguments are 64-bit integers: sizes, and addresses in bytes; and descriptors (NamedTuples of them,
such as TensorView), where a parameter is annotated so: side by side in a row of the table, and in
registers in a kernel, where numba loads only what is used. All threads call a kernel with the same
arguments, and each does its part, without waiting for the others. `@part` marks a function that
kernels call. A kernel is compiled when its address is needed, if the cache has not its code.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from darknet_py.ops import cache as disk
from darknet_py.ops import notices
from darknet_py.ops.cpu.codegen import loader, versions
from darknet_py.ops.cpu.codegen.emit import Descriptor, Part, columns_of


class TensorView(NamedTuple):
    """A map (n, h, w, c) in memory: the address of its first pixel, pitches in bytes."""

    address: int
    n: int
    h: int
    w: int
    c: int
    vectors: int
    """Vectors of channels, the last one padded with zeros."""
    image: int
    """From a picture to the next."""
    row: int
    pixel: int


NO_VIEW = TensorView(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""For a map that is not there: its address is 0."""


class ChannelArrays(NamedTuple):
    """Addresses of arrays of a float a channel, padded to whole vectors; 0: not there.

    A normalisation is (x - mean) scale + shift; its delta, a (d - e) + b (x - mean).
    """

    mean: int = 0
    scale: int = 0
    shift: int = 0
    a: int = 0
    b: int = 0
    e: int = 0


class Epilogue(NamedTuple):
    """What becomes of a result before it is stored: addresses, 0 for what is not there.

    slopes: of an activation, see epilogue.SLOPES. residual, residual_after: bytes from where the
    result goes to a map of the same shape and pitches, added before or after the activation. mask:
    two slopes of an activation whose output is the map at residual_after, not added then: the
    result is multiplied by the slope there.
    """

    biases: int = 0
    slopes: int = 0
    residual: int = 0
    residual_after: int = 0
    mask: int = 0


class PackedWeights(NamedTuple):
    """Where a window's numbers lie, and the weights for them: `segment_count` segments of `length`
    numbers each; the address of the segments' offsets in bytes, and that of the weights, in
    panels."""

    segments: int
    segment_count: int
    length: int
    weights: int


Function = Callable[..., Any]

MAX_PARAMETERS = 16
"""Of a kernel, thread and threads included."""
COLUMNS = 39
"""Numbers of a row's arguments. A row has one more: the kernel's address."""

_lock = threading.RLock()
"""Held while code is made: neither numba nor LLVM's linker is thread-safe."""
if hasattr(os, "register_at_fork"):
    # a fork waits for it: a child would find it held for ever
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class Kernel:
    """A function with an address: see above."""

    def __init__(self, function: Function, name: str) -> None:
        self.function, self.name = function, name
        signature = inspect.signature(function, eval_str=True, globals=function.__globals__)
        assert len(signature.parameters) <= MAX_PARAMETERS, name
        parameters = list(signature.parameters.values())[2:]
        self.kinds = {p.name: _descriptor(p.annotation) for p in parameters}
        """Of each parameter its descriptor; None for an integer."""
        assert sum(columns_of(kind) for kind in self.kinds.values()) <= COLUMNS, name
        self._address: int | None = None

    def step(self, **arguments: Any) -> list[int]:
        """A row: the address, and the arguments in order."""
        assert arguments.keys() == self.kinds.keys(), (self.name, arguments.keys())
        row = [self.address()]
        for name, kind in self.kinds.items():
            assert isinstance(arguments[name], kind or (int, np.integer)), (self.name, name)
            row += map(int, arguments[name]) if kind else [int(arguments[name])]
        return row

    def address(self) -> int:
        """Of code that is called as (thread, threads, address of a row's arguments)."""
        if self._address is None:
            with _lock:
                if self._address is None:
                    code = object_code(self.name, self.function, list(self.kinds.values()))
                    self._address = loader.load(self.name, code)
        return self._address


def _descriptor(annotation: Any) -> Descriptor | None:
    is_tuple = isinstance(annotation, type) and issubclass(annotation, tuple)
    return annotation if is_tuple else None


def kernel(function: Function) -> Kernel:
    """Makes a function a kernel. No other in a file of this name may have its own name, too."""
    return Kernel(function, f"{function.__module__.rpartition('.')[2]}.{function.__name__}")


def part(function: Function) -> Part:
    """Makes a function one that kernels call."""
    return Part(function)


def object_code(name: str, function: Function, kinds: list[Descriptor | None]) -> bytes:
    """The machine code of a kernel, from the cache if it has it. kinds: of each parameter after
    (thread, threads) its descriptor; None for an integer."""
    folder, file = versions.folder(), f"{name}-{versions.code_key(function, *kinds)}"
    found = disk.load(folder, file)
    if found is not None:
        return found
    with notices.compiling(is_kept=folder is not None):
        from darknet_py.ops.cpu.codegen.compiler import compile_kernel

        code = compile_kernel(function, name, kinds)
    disk.store(folder, file, code)
    return code
