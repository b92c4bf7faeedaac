"""From a Python function to machine code, by way of numba; loaded only where code is missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types
from numba.core import cgutils, compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from darknet_py.ops.cpu.codegen.emit import Descriptor, Instruction, Part, columns_of
from darknet_py.ops.cpu.codegen.jit import translated
from darknet_py.ops.cpu.codegen.loader import entry, target_machine


def compile_kernel(
    function: Callable[..., Any], name: str, kinds: list[Descriptor | None]
) -> bytes:
    """The object code of a kernel, with its entry: see loader.entry. kinds: of each parameter after
    (thread, threads) its descriptor; None for an integer."""
    typing, target = cpu_target.typing_context, cpu_target.target_context
    typing.refresh()
    target.refresh()
    with global_compiler_lock:
        compiled = compiler.compile_extra(
            typing,
            target,
            translated(function, _known),
            (types.int64, types.int64, *map(_type, kinds)),
            types.void,
            _flags(),
            {},
        )
        _, _, bitcode = compiled.library.serialize_using_bitcode()
    module = llvm.parse_bitcode(bitcode)
    # numba passes the numbers of a tuple as so many arguments
    columns = sum(map(columns_of, kinds))
    unpacking = _unpacking(entry(name), compiled.fndesc.mangled_name, columns)
    module.link_in(llvm.parse_assembly(unpacking))
    return bytes(target_machine().emit_object(module))


def _type(kind: Descriptor | None) -> Any:
    return types.NamedUniTuple(types.int64, columns_of(kind), kind) if kind else types.int64


def _unpacking(name: str, symbol: str, columns: int) -> str:
    """A function that takes a kernel's arguments from a row in memory."""
    loads = "\n".join(
        f"  %p{i} = getelementptr i64, ptr %row, i64 {i}\n  %a{i} = load i64, ptr %p{i}"
        for i in range(columns)
    )
    passed = "".join(f", i64 %a{i}" for i in range(columns))
    kinds = ", i64" * columns
    # called as numba's functions are: where to put a result and an exception, then the arguments
    return f"""
declare i32 @"{symbol}"(ptr, ptr, i64, i64{kinds})
define i32 @{name}(i64 %thread, i64 %threads, ptr %row) {{
  %result = alloca ptr
  %exception = alloca ptr
{loads}
  %status = call i32 @"{symbol}"(ptr %result, ptr %exception, i64 %thread, i64 %threads{passed})
  ret i32 %status
}}
"""


def _flags() -> Any:
    flags = compiler.Flags()
    # Without them the code needs nothing of Python's or numba's, and can be loaded alone.
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.no_compile = True  # not by itself, but with its entry
    flags.release_gil = True
    flags.nrt = False
    flags.error_model = "numpy"
    return flags


def _known(value: Any) -> Any:
    if isinstance(value, Instruction):
        return _instruction(value)
    if isinstance(value, Part):
        return _part(value)
    return value


@cache
def _part(part: Part) -> Any:
    return numba.njit(nogil=True, error_model="numpy")(translated(part.function, _known))


def _unpacked(builder: Any, kind: Any, value: Any) -> Any:
    """What an instruction is given: a number, or a tuple of numbers, which may have names."""
    if not isinstance(kind, types.BaseTuple):
        return value
    numbers = cgutils.unpack_tuple(builder, value)
    return kind.instance_class(*numbers) if isinstance(kind, types.BaseNamedTuple) else numbers


@cache
def _instruction(source: Instruction) -> Any:
    @intrinsic
    def call(_: Any, *arguments: Any) -> Any:
        result = getattr(types, source.result or "void")

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            passed = cgutils.unpack_tuple(builder, values[0])
            unpacked = map(partial(_unpacked, builder), arguments, passed)
            given = source.emit(builder, *unpacked)
            return given if source.result else context.get_dummy_value()

        return result(types.StarArgTuple(arguments)), generate

    return call
