"""Kernels: functions of (thread, threads, arguments...) that a table of steps can name.

    @kernel
    def scale(thread, threads, x, y, count): ...

    scale.step(x=..., y=..., count=...)    # a row of a table: address, arguments

Arguments are 64-bit integers: sizes, and addresses in bytes; and descriptors of maps, where a
parameter is annotated TensorView. All threads call a kernel with the
same arguments, and each does its part, without waiting for the others. `@part` marks a function
that kernels call. Neither is compiled until an address is asked for, and not then if the cache on
disk has its code.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable
from typing import Any

from darknet_py.ops import cache as disk
from darknet_py.ops import notices
from darknet_py.ops.cpu.codegen import loader, versions
from darknet_py.ops.cpu.codegen.descriptor import TensorView

Function = Callable[..., Any]

MAX_PARAMETERS = 16
"""Of a kernel, thread and threads included."""
COLUMNS = 63
"""Numbers of a row's arguments. A row has one more: the kernel's address."""

_lock = threading.RLock()
"""Held while code is made: neither numba nor LLVM's linker likes two at a time."""
if hasattr(os, "register_at_fork"):
    # A fork waits until no thread is at it, lest the child finds it half done, for ever.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class Part:
    """A function that kernels call."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def __call__(self, *arguments: float | tuple[float, ...]) -> Any:
        raise TypeError("a part of kernels can be called in a kernel only")


class Kernel:
    """A function with an address; see the module's text."""

    def __init__(self, function: Function, name: str) -> None:
        self.function, self.name = function, name
        parameters = list(inspect.signature(function).parameters.values())[2:]
        self.is_view = {p.name: p.annotation in (TensorView, "TensorView") for p in parameters}
        """Of each parameter, whether it is a descriptor of a map."""
        assert sum(len(TensorView._fields) if v else 1 for v in self.is_view.values()) <= COLUMNS, (
            name
        )
        self._address: int | None = None

    def step(self, **arguments: int | TensorView) -> list[int]:
        """A row: the address, and the arguments in order."""
        assert arguments.keys() == self.is_view.keys(), (self.name, arguments.keys())
        row = [self.address()]
        for name, is_view in self.is_view.items():
            value = arguments[name]
            assert isinstance(value, TensorView) == is_view, (self.name, name)
            row += map(int, value) if isinstance(value, TensorView) else [int(value)]
        return row

    def address(self) -> int:
        """Of code that is called as (thread, threads, address of a row's arguments)."""
        if self._address is None:
            with _lock:
                if self._address is None:
                    code = object_code(self.name, self.function, list(self.is_view.values()))
                    self._address = loader.load(self.name, code)
        return self._address


def kernel(function: Function) -> Kernel:
    """Makes a function a kernel. No other in a file of this name may have its own name, too."""
    return Kernel(function, f"{function.__module__.rpartition('.')[2]}.{function.__name__}")


def part(function: Function) -> Part:
    """Makes a function one that kernels call."""
    return Part(function)


def object_code(name: str, function: Function, views: list[bool]) -> bytes:
    """The machine code of a kernel, from the cache if it has it. views: of each parameter after
    (thread, threads), whether it is a descriptor."""
    try:
        source, folder = versions.source_key(function.__code__.co_filename), versions.folder()
    except OSError:  # it was typed in, and is in no file
        source, folder = "", None
    file = f"{name}-{source}"
    found = disk.load(folder, file)
    if found is not None:
        return found
    with notices.compiling(is_kept=folder is not None):
        from darknet_py.ops.cpu.codegen.compiler import compile_kernel

        code = compile_kernel(function, name, views)
    disk.store(folder, file, code)
    return code
