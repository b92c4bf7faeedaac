"""Loads machine code into the process, with LLVM's linker alone, without numba."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from darknet_py.ops.cpu.codegen import host


def entry(name: str) -> str:
    """The symbol in a kernel's code that takes (thread, threads, row)."""
    return "row_" + "".join(letter if letter.isalnum() else "_" for letter in name)


def load(name: str, code: bytes) -> int:
    """The address of the entry in a kernel's object code, which stays in the process."""
    # A linker for each: what numba calls a function is unique in one process only, and code from
    # the cache was compiled in several.
    empty = llvm.parse_assembly("")
    empty.triple = llvm.get_process_triple()
    engine = llvm.create_mcjit_compiler(empty, target_machine())
    keep(engine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return int(engine.get_function_address(entry(name)))


def target_machine() -> Any:
    """What LLVM makes code for: this processor, this process."""
    _initialize()
    name, features = host.cpu()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=name, features=features, opt=3, codemodel="jitdefault", jit=True
    )


def keep(what: object) -> None:
    """Never frees it, not even when the process ends: threads may still use it."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(what))


@cache
def _initialize() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
