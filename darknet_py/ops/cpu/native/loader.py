"""Machine code into the process, with LLVM's linker alone: numba need not be loaded for it."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm

from darknet_py.ops.cpu.native import host


def row_function(name: str, symbol: str, code: bytes, arguments: int) -> int:
    """Loads numba's object code of a kernel; the address of (thread, threads, row) -> i32.

    That function takes the kernel's arguments from a row in memory.
    """
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    module = llvm.parse_assembly(_unpacking(name, symbol, arguments))
    module.triple = llvm.get_process_triple()
    engine.add_module(module)
    engine.finalize_object()
    return int(engine.get_function_address(_entry(name)))


def _entry(name: str) -> str:
    return "row_" + "".join(letter if letter.isalnum() else "_" for letter in name)


def _unpacking(name: str, symbol: str, arguments: int) -> str:
    loads = "\n".join(
        f"  %p{i} = getelementptr i64, ptr %row, i64 {i}\n  %a{i} = load i64, ptr %p{i}"
        for i in range(arguments)
    )
    passed = "".join(f", i64 %a{i}" for i in range(arguments))
    kinds = ", i64" * arguments
    return f"""
declare i32 @"{symbol}"(ptr, ptr, i64, i64{kinds})
define i32 @{_entry(name)}(i64 %thread, i64 %threads, ptr %row) {{
  %result = alloca ptr
  %exception = alloca ptr
{loads}
  %status = call i32 @"{symbol}"(ptr %result, ptr %exception, i64 %thread, i64 %threads{passed})
  ret i32 %status
}}
"""


@cache
def _engine() -> Any:
    # one for all kernels, kept as long as the process: threads may run their code at any time
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = host.cpu()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=name, features=features, opt=2, jit=True)
    empty = llvm.parse_assembly("")
    empty.triple = llvm.get_process_triple()
    return llvm.create_mcjit_compiler(empty, machine)
