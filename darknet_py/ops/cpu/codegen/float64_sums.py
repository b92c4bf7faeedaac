"""Sums in doubles, to which sums of a few hundred floats are added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    F64,
    Builder,
    Loop,
    Value,
    Vector,
    const,
    instruction,
    number,
    pointer,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import part

FLOAT, DOUBLE = 4, 8
WIDTHS = (4, 2, 1)
"""Vectors that are summed together: the more, the more of a line of memory is read at once."""
TOGETHER = 64
"""Pixels, about, whose floats are added up before they go into doubles."""


@part
def width_of(left):  # type: ignore[no-untyped-def]
    """How many of the vectors that are left are summed together."""
    return 4 if left >= 4 else 2 if left >= 2 else 1


def for_width(builder: Builder, width: Value, emit: Callable[[int], None]) -> None:
    """Emits for each of the widths, and runs what is for this one."""
    for number_of in WIDTHS:
        with builder.if_then(builder.icmp_signed("==", width, const(number_of))):
            emit(number_of)


@number
def float_at(builder: Builder, address: Value) -> Value:
    """The float at an address, as a double."""
    return builder.fpext(builder.load(pointer(builder, address, F32)), F64)


@instruction
def put_float(builder: Builder, address: Value, value: Value) -> None:
    """Stores a double as a float."""
    builder.store(builder.fptrunc(value, F32), pointer(builder, address, F32))


@number
def double_at(builder: Builder, address: Value) -> Value:
    return builder.load(pointer(builder, address, F64))


def add_to_doubles(vector: Vector, address: Value) -> None:
    """Adds floats to as many doubles at an address."""
    builder = vector.builder
    kind: Any = ir.VectorType(F64, vector.length)
    place = pointer(builder, address, kind)
    total = builder.fadd(builder.load(place, align=8), builder.fpext(vector.value, kind))
    builder.store(total, place, align=8)


@instruction
def clear(builder: Builder, address: Value, size: Value) -> None:
    """Zeros in so many bytes, whole vectors."""
    with Loop(builder, size, FLOAT * vector_length()) as at:
        store(zero(builder), builder.add(address, at))
