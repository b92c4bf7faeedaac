"""Instructions for kernels: Python functions that emit LLVM's code where a kernel calls them.

A kernel calls `copy(to, source)` as if it were a function; when it is compiled, the emitter
`copy(builder, to, source)` writes the code. Arguments are 64-bit integers (sizes, addresses in
bytes), doubles, and tuples of them, such as descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from darknet_py.ops.cpu.codegen.host import has_fused, vector_length

Builder = Any
Value = Any
Pair = tuple[Value, Value]
"""Two counts; or an address, and the bytes from there to the next."""
Strided = tuple[Value, Value, Value]
"""An address, and the bytes from a row and from a pixel to the next."""

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
F32, F64 = ir.FloatType(), ir.DoubleType()


class Instruction:
    """What a kernel may call; `emit(builder, *arguments)` writes it."""

    def __init__(self, emit: Callable[..., Any], result: str = "") -> None:
        self.emit = emit
        self.result = result
        """The type of what it gives, as numba calls it: int64, float64, or nothing."""

    def __call__(self, *arguments: float | tuple[float, ...]) -> Any:
        raise TypeError("an instruction can be called in a kernel only")


class Part:
    """A function that kernels call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: float | tuple[float, ...]) -> Any:
        raise TypeError("a part of kernels can be called in a kernel only")


Descriptor = type[tuple[int, ...]]
"""A NamedTuple of integers, such as TensorView."""


def columns_of(kind: Descriptor | None) -> int:
    """Numbers that an argument takes of a row."""
    return len(kind._fields) if kind else 1  # type: ignore[attr-defined]


def instruction(emit: Callable[..., Any]) -> Instruction:
    """Makes an emitter an instruction without a result."""
    return Instruction(emit)


def function(emit: Callable[..., Any]) -> Instruction:
    """Makes an emitter an instruction that gives a 64-bit integer."""
    return Instruction(emit, "int64")


def number(emit: Callable[..., Any]) -> Instruction:
    """Makes an emitter an instruction that gives a double."""
    return Instruction(emit, "float64")


def const(number: int) -> Value:
    return ir.Constant(I64, number)


def offset(builder: Builder, address: Value, number: Value | int) -> Value:
    """An address, so many bytes further on."""
    if isinstance(number, int):
        if number == 0:
            return address
        number = const(number)
    return builder.add(address, number)


def pointer(builder: Builder, address: Value, kind: Any) -> Value:
    return builder.inttoptr(address, kind.as_pointer())


def load_int(builder: Builder, address: Value) -> Value:
    return builder.load(pointer(builder, address, I64))


@function
def load_i64(builder: Builder, address: Value) -> Value:
    """The 64-bit integer at an address."""
    return load_int(builder, address)


@instruction
def store_i64(builder: Builder, address: Value, value: Value) -> None:
    """Stores a 64-bit integer."""
    builder.store(value, pointer(builder, address, I64))


def vector_type(length: int | None = None) -> Any:
    return ir.VectorType(F32, length or vector_length())


class Vector:
    """A vector of floats in a register, with operators."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: Builder, value: Value) -> None:
        self.builder, self.value = builder, value

    @property
    def length(self) -> int:
        return int(self.value.type.count)

    def _value(self, other: Vector | float) -> Value:
        if isinstance(other, Vector):
            return other.value
        return constant(other, self.length)

    def _contracted(self, operation: Callable[..., Value], other: Vector | float) -> Vector:
        return Vector(self.builder, operation(self.value, self._value(other), ("contract",)))

    def __add__(self, other: Vector | float) -> Vector:
        return self._contracted(self.builder.fadd, other)

    def __sub__(self, other: Vector | float) -> Vector:
        return self._contracted(self.builder.fsub, other)

    def __mul__(self, other: Vector | float) -> Vector:
        return self._contracted(self.builder.fmul, other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Vector | float) -> Vector:
        return Vector(self.builder, self.builder.fdiv(self.value, self._value(other)))

    def max(self, other: Vector | float) -> Vector:
        """The larger; where either is no number, `other`'s."""
        value = self._value(other)
        return Vector(self.builder, self.builder.select(self > other, self.value, value))

    def __gt__(self, other: Vector | float) -> Value:
        return self.builder.fcmp_ordered(">", self.value, self._value(other))

    def __lt__(self, other: Vector | float) -> Value:
        return self.builder.fcmp_ordered("<", self.value, self._value(other))

    def __eq__(self, other: object) -> Value:
        assert isinstance(other, Vector | float)
        return self.builder.fcmp_ordered("==", self.value, self._value(other))

    __hash__ = None  # type: ignore[assignment]


def constant(number: float, length: int) -> Value:
    return ir.Constant(vector_type(length), [float(np.float32(number))] * length)


def zero(builder: Builder, length: int | None = None) -> Vector:
    return Vector(builder, constant(0.0, length or vector_length()))


def where(condition: Value, yes: Vector, no: Vector) -> Vector:
    return Vector(yes.builder, yes.builder.select(condition, yes.value, no.value))


def fused(a: Vector, b: Vector, c: Vector) -> Vector:
    """a b + c, rounded once where the processor can."""
    if not has_fused():
        return a * b + c
    kind = a.value.type
    name = f"llvm.fma.v{a.length}f32"
    fma = declare(a.builder, name, kind, [kind] * 3)
    return Vector(a.builder, a.builder.call(fma, [a.value, b.value, c.value]))


def declare(builder: Builder, name: str, result: Any, arguments: Sequence[Any]) -> Any:
    """An external function of the module that is being written."""
    found = builder.module.globals.get(name)
    if found is not None:
        return found
    return ir.Function(builder.module, ir.FunctionType(result, list(arguments)), name)


def load(builder: Builder, address: Value, length: int | None = None) -> Vector:
    place = pointer(builder, address, vector_type(length))
    return Vector(builder, builder.load(place, align=4))


def store(vector: Vector, address: Value) -> None:
    builder = vector.builder
    builder.store(vector.value, pointer(builder, address, vector.value.type), align=4)


def splat(builder: Builder, address: Value, length: int | None = None) -> Vector:
    """The float at an address, in every place of a vector."""
    return spread(builder, builder.load(pointer(builder, address, F32), align=4), length)


def spread(builder: Builder, number: Value, length: int | None = None) -> Vector:
    """A float in every place of a vector."""
    length = length or vector_length()
    kind = vector_type(length)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(I32, 0))
    places = ir.Constant(ir.VectorType(I32, length), [0] * length)
    return Vector(builder, builder.shuffle_vector(first, first, places))


class Variables:
    """Vectors that change in a loop; LLVM keeps them in registers."""

    def __init__(self, builder: Builder, initial: Sequence[Vector]) -> None:
        self.builder = builder
        with builder.goto_entry_block():
            self.places = [builder.alloca(x.value.type) for x in initial]
        self.set(initial)

    def set(self, vectors: Sequence[Vector]) -> None:
        for place, vector in zip(self.places, vectors, strict=True):
            self.builder.store(vector.value, place)

    def get(self) -> list[Vector]:
        return [Vector(self.builder, self.builder.load(place)) for place in self.places]


class Loop:
    """`with Loop(builder, count) as index:` runs its body for index 0 to count - 1."""

    def __init__(self, builder: Builder, count: Value, step: int = 1) -> None:
        self.builder, self.count, self.step = builder, count, step

    def __enter__(self) -> Value:
        builder = self.builder
        with builder.goto_entry_block():
            self.place = builder.alloca(I64)
        builder.store(const(0), self.place)
        self.head = builder.append_basic_block("loop")
        self.body = builder.append_basic_block("body")
        self.after = builder.append_basic_block("after")
        builder.branch(self.head)
        builder.position_at_end(self.head)
        index = builder.load(self.place)
        builder.cbranch(builder.icmp_signed("<", index, self.count), self.body, self.after)
        builder.position_at_end(self.body)
        self.index = index
        return index

    def __exit__(self, *_: object) -> None:
        builder = self.builder
        builder.store(builder.add(self.index, const(self.step)), self.place)
        builder.branch(self.head)
        builder.position_at_end(self.after)


class Places:
    """`with Places(builder, counts, maps) as addresses:` walks over rows and pixels of maps."""

    def __init__(self, builder: Builder, counts: Pair, maps: Sequence[Strided]) -> None:
        self.builder, self.maps = builder, maps
        self.rows, self.pixels = (Loop(builder, count) for count in counts)

    def __enter__(self) -> list[Value]:
        addresses = [start for start, _, _ in self.maps]
        for loop, at in ((self.rows, 1), (self.pixels, 2)):
            index = loop.__enter__()
            steps = [self.builder.mul(index, steps[at]) for steps in self.maps]
            addresses = [self.builder.add(*both) for both in zip(addresses, steps, strict=True)]
        return addresses

    def __exit__(self, *_: object) -> None:
        self.pixels.__exit__()
        self.rows.__exit__()


def load_first(builder: Builder, address: Value, count: Value) -> Vector:
    """The first `count` numbers at an address (none if that is below 1), zeros behind them: no
    other memory is touched."""
    length, kind = vector_length(), vector_type()
    arguments = [F32.as_pointer(), I32, _mask_type(), kind]
    masked = declare(builder, f"llvm.masked.load.v{length}f32.p0", kind, arguments)
    place = pointer(builder, address, F32)
    given = [place, ir.Constant(I32, 4), _mask(builder, count), constant(0.0, length)]
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
    return ir.VectorType(ir.IntType(1), vector_length())


def _mask(builder: Builder, count: Value) -> Value:
    length = vector_length()
    places = ir.Constant(ir.VectorType(I32, length), list(range(length)))
    one = builder.insert_element(
        ir.Constant(places.type, ir.Undefined), builder.trunc(count, I32), ir.Constant(I32, 0)
    )
    all_of_them = builder.shuffle_vector(one, one, ir.Constant(places.type, [0] * length))
    return builder.icmp_signed("<", places, all_of_them)


def transposed(rows: Sequence[Vector]) -> list[Vector]:
    """The transpose of a square of vectors, as many as a vector has numbers."""
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
