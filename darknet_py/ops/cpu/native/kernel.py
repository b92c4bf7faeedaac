"""Kernels: functions of (thread, threads, arguments...) that a table of steps can name.

    @kernel
    def scale(thread, threads, x, y, count): ...

    scale.step(x=..., y=..., count=...)    # a row of a table: address, arguments

Arguments are 64-bit integers: sizes, and addresses in bytes. All threads call a kernel with the
same arguments, and each does its part. `@part` marks a function that kernels call. Neither is
compiled until an address is asked for, and not then if the cache on disk has its code.
"""

from __future__ import annotations

import hashlib
import inspect
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from darknet_py import __version__
from darknet_py.ops.cpu.native import cache as disk
from darknet_py.ops.cpu.native import host, loader

Function = Callable[..., Any]

MAX_ARGUMENTS = 31
"""A row has one more: the kernel's address."""

_lock = threading.Lock()
_compiling: list[Callable[[], None]] = []


class Part:
    """A function that kernels call."""

    def __init__(self, function: Function) -> None:
        self.function = function


class Kernel:
    """A function with an address; see the module's text."""

    def __init__(self, function: Function, name: str) -> None:
        self.function, self.name = function, name
        self.parameters = list(inspect.signature(function).parameters)[2:]
        assert len(self.parameters) <= MAX_ARGUMENTS, name
        self._address: int | None = None

    def step(self, **arguments: int) -> list[int]:
        """A row: the address, and the arguments in order."""
        assert arguments.keys() == set(self.parameters), (self.name, arguments.keys())
        return [self.address(), *(int(arguments[name]) for name in self.parameters)]

    def address(self) -> int:
        """Of code that is called as (thread, threads, address of a row's arguments)."""
        if self._address is None:
            with _lock:
                code = object_code(self.name, self.function, len(self.parameters) + 2)
                self._address = loader.row_function(self.name, *code, len(self.parameters))
        return self._address


def kernel(function: Function) -> Kernel:
    """Makes a function a kernel."""
    return Kernel(function, f"{function.__module__.rpartition('.')[2]}.{function.__name__}")


def part(function: Function) -> Part:
    """Makes a function one that kernels call."""
    return Part(function)


def when_compiling(say: Callable[[], None]) -> None:
    """Has `say` called, once, before the first kernel is compiled that the cache lacks."""
    _compiling.append(say)


def object_code(name: str, function: Function, arguments: int) -> tuple[str, bytes]:
    """The symbol and the machine code of a function, from the cache if it has it."""
    folder = disk.folder(version())
    found = disk.load(folder, name)
    if found is not None:
        symbol, _, code = found.partition(b"\n")
        return symbol.decode(), code
    while _compiling:
        _compiling.pop()()
    from darknet_py.ops.cpu.native.compiler import compile_function

    symbol_name, code = compile_function(function, arguments)
    disk.store(folder, name, symbol_name.encode() + b"\n" + code)
    return symbol_name, code


@cache
def version() -> str:
    """A name for all that machine code depends on: sources, compiler, processor."""
    from importlib.metadata import version as version_of

    digest = hashlib.sha256()
    parts = [__version__, version_of("numba"), version_of("llvmlite"), host.identity()]
    digest.update("\n".join(parts).encode())
    here = Path(__file__).parent
    for folder in (here, here.parent / "kernels"):
        for source in sorted(folder.glob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:24]
