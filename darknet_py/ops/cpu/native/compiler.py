"""From a Python function to machine code, by way of numba; loaded only where code is missing."""

from __future__ import annotations

import types as python_types
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from numba import types
from numba.core import cgutils, compiler
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from darknet_py.ops.cpu.native.emit import Instruction
from darknet_py.ops.cpu.native.kernel import Part


def compile_function(function: Callable[..., Any], arguments: int) -> tuple[str, bytes]:
    """The symbol and the object code of a function of so many 64-bit integers.

    Called as i32 (results, exceptions, arguments...), as numba's functions are.
    """
    typing, target = cpu_target.typing_context, cpu_target.target_context
    typing.refresh()
    target.refresh()
    compiled = compiler.compile_extra(
        typing, target, _translated(function), (types.int64,) * arguments, types.void, _flags(), {}
    )
    _, _, (code, _) = compiled.library.serialize_using_object_code()
    return compiled.fndesc.mangled_name, code


def _flags() -> Any:
    flags = compiler.Flags()
    # Without them the code needs nothing of Python's or numba's, and can be loaded alone.
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.release_gil = True
    flags.nrt = False
    flags.error_model = "numpy"
    return flags


def _translated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with what it calls made known to numba."""
    names = set(function.__code__.co_names) & function.__globals__.keys()
    used = {name: _known(function.__globals__[name]) for name in names}
    used["__name__"] = function.__module__
    cells = tuple(
        python_types.CellType(_known(cell.cell_contents)) for cell in function.__closure__ or ()
    )
    return python_types.FunctionType(
        function.__code__, used, function.__name__, function.__defaults__, cells
    )


def _known(value: Any) -> Any:
    if isinstance(value, Instruction):
        return _instruction(value)
    if isinstance(value, Part):
        return _part(value)
    return value


@cache
def _part(part: Part) -> Any:
    return numba.njit(nogil=True, error_model="numpy")(_translated(part.function))


@cache
def _instruction(source: Instruction) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def call(_: Any, *arguments: Any) -> Any:
        result = types.int64 if source.gives_value else types.void

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            unpacked = cgutils.unpack_tuple(builder, values[0])
            given = source.emit(builder, *unpacked)
            return given if source.gives_value else context.get_dummy_value()

        return result(types.StarArgTuple(arguments)), generate

    return call
