"""What a convolution does with its sums before it stores them: biases, a map added, activation.

The activations here are the piecewise linear ones: y = max(first x, second x), by two slopes. See
SLOPES; the others take a step of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    Variables,
    Vector,
    const,
    load,
    offset,
    splat,
    store,
    where,
)
from darknet_py.ops.cpu.codegen.tile import FLOAT, VECTOR, Sums

SLOPES = {
    "linear": (1.0, 1.0),
    "relu": (1.0, 0.0),
    "leaky": (1.0, 0.1),
    "relie": (1.0, 0.01),
    "ramp": (1.1, 0.1),
}
"""y = max(first x, second x)."""


class Finish(NamedTuple):
    """The last arguments of a tile: addresses, but for added and added_after, which are bytes from
    y to a map of its shape, 0 for none. gate: see emit_after."""

    biases: Value
    slopes: Value
    added: Value
    added_after: Value
    gate: Value


def emit_finish(
    builder: Builder,
    sums: Sums,
    places: Sequence[Value],
    finish: Finish,
    pool: Callable[[Sums], Sums] | None = None,
) -> None:
    """Stores sums at `places`, a row of vectors at each; pool: what makes fewer rows of them, to
    which nothing is added."""
    sums = emit_biases(builder, finish.biases, sums)
    if pool is None:
        sums = emit_added(builder, finish.added, places, sums)
    else:
        sums = pool(sums)
    sums = [emit_activation(builder, finish.slopes, row) for row in sums]
    if pool is None:
        sums = emit_after(builder, finish.added_after, finish.gate, places, sums)
    emit_store(places, sums)


def largest(rows: Sums) -> Sums:
    """Of all rows one."""
    return [reduce(larger, rows)]


def larger(row: Sequence[Vector], other: Sequence[Vector]) -> list[Vector]:
    return [x.max(y) for x, y in zip(row, other, strict=True)]


def emit_activation(builder: Builder, slopes: Value, vectors: Sequence[Vector]) -> list[Vector]:
    """slopes: the address of two floats."""
    first, second = splat(builder, slopes), splat(builder, offset(builder, slopes, FLOAT))
    return [(x * first).max(x * second) for x in vectors]


def emit_biases(builder: Builder, biases: Value, sums: Sums) -> Sums:
    bias = [load(builder, offset(builder, biases, VECTOR * j)) for j in range(len(sums[0]))]
    return [[x + bias[j] for j, x in enumerate(row)] for row in sums]


def emit_added(builder: Builder, shift: Value, places: Sequence[Value], sums: Sums) -> Sums:
    """The map that lies `shift` bytes from `places`, one for each row of sums, added; 0: none."""
    flat = [x for row in sums for x in row]
    width = len(sums[0])
    variables = Variables(builder, len(flat))
    variables.set(flat)
    with builder.if_then(builder.icmp_signed("!=", shift, const(0))):
        maps = _vectors(builder, shift, places, width)
        variables.set([x + y for x, y in zip(flat, maps, strict=True)])
    flat = variables.get()
    return [flat[i * width : (i + 1) * width] for i in range(len(sums))]


def emit_after(
    builder: Builder, shift: Value, gate: Value, places: Sequence[Value], sums: Sums
) -> Sums:
    """The same; or, where `gate` is the address of two slopes, the sums times the slope of an
    activation whose output that map is."""
    flat = [x for row in sums for x in row]
    width = len(sums[0])
    variables = Variables(builder, len(flat))
    variables.set(flat)
    with builder.if_then(builder.icmp_signed("!=", shift, const(0))):
        maps = _vectors(builder, shift, places, width)
        with builder.if_else(builder.icmp_signed("==", gate, const(0))) as (is_sum, is_gate):
            with is_sum:
                variables.set([x + y for x, y in zip(flat, maps, strict=True)])
            with is_gate:
                first, second = splat(builder, gate), splat(builder, offset(builder, gate, FLOAT))
                slopes = [where(y > 0.0, first, second) for y in maps]
                variables.set([x * slope for x, slope in zip(flat, slopes, strict=True)])
    flat = variables.get()
    return [flat[i * width : (i + 1) * width] for i in range(len(sums))]


def _vectors(builder: Builder, shift: Value, places: Sequence[Value], width: int) -> list[Vector]:
    """`width` vectors from each place, so many bytes further on."""
    starts = [builder.add(place, shift) for place in places]
    return [load(builder, offset(builder, at, VECTOR * j)) for at in starts for j in range(width)]


def emit_store(places: Sequence[Value], sums: Sums) -> None:
    for place, row in zip(places, sums, strict=True):
        for j, x in enumerate(row):
            store(x, offset(x.builder, place, VECTOR * j))
