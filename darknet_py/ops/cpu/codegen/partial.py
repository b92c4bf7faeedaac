"""Vectors of which only the first numbers are there, and squares of vectors turned over.

What parameters need, whose numbers of filters and channels are no multiples of a vector's length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    I32,
    Builder,
    Value,
    Vector,
    constant,
    declare,
    pointer,
    vector_type,
)
from darknet_py.ops.cpu.codegen.host import vector_length

_BIT = ir.IntType(1)


def load_first(builder: Builder, address: Value, count: Value) -> Vector:
    """The first `count` numbers at an address (none if that is below 1), zeros behind them.

    Memory that is not asked for is not touched.
    """
    length = vector_length()
    kind = vector_type()
    arguments = [F32.as_pointer(), I32, _mask_type(), kind]
    masked = declare(builder, f"llvm.masked.load.v{length}f32.p0", kind, arguments)
    zeros = constant(0.0, length)
    place = pointer(builder, address, F32)
    given = [place, ir.Constant(I32, 4), _mask(builder, count), zeros]
    return Vector(builder, builder.call(masked, given))


def store_first(vector: Vector, address: Value, count: Value) -> None:
    """Stores the first `count` numbers."""
    builder = vector.builder
    arguments = [vector_type(), F32.as_pointer(), I32, _mask_type()]
    name = f"llvm.masked.store.v{vector_length()}f32.p0"
    masked = declare(builder, name, ir.VoidType(), arguments)
    place = pointer(builder, address, F32)
    builder.call(masked, [vector.value, place, ir.Constant(I32, 4), _mask(builder, count)])


def _mask_type() -> Any:
    return ir.VectorType(_BIT, vector_length())


def _mask(builder: Builder, count: Value) -> Value:
    length = vector_length()
    places = ir.Constant(ir.VectorType(I32, length), list(range(length)))
    one = builder.insert_element(
        ir.Constant(places.type, ir.Undefined), builder.trunc(count, I32), ir.Constant(I32, 0)
    )
    all_of_them = builder.shuffle_vector(one, one, ir.Constant(places.type, [0] * length))
    return builder.icmp_signed("<", places, all_of_them)


def transposed(rows: Sequence[Vector]) -> list[Vector]:
    """As many vectors as a vector has numbers: columns for rows."""
    length = len(rows)
    builder = rows[0].builder
    values = [row.value for row in rows]
    step = length // 2
    while step:
        upper = [e if e // step % 2 == 0 else length + e - step for e in range(length)]
        lower = [e + step if e // step % 2 == 0 else length + e for e in range(length)]
        for i in range(length):
            if i // step % 2 == 0:
                a, b = values[i], values[i + step]
                values[i] = builder.shuffle_vector(a, b, _places(upper))
                values[i + step] = builder.shuffle_vector(a, b, _places(lower))
        step //= 2
    return [Vector(builder, value) for value in values]


def _places(numbers: Sequence[int]) -> Value:
    return ir.Constant(ir.VectorType(I32, len(numbers)), list(numbers))
