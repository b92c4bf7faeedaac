"""What becomes of sums before they are stored: biases, a residual, an activation, 2x2 pooling.

Activations are the piecewise linear ones, see SLOPES; the others take a step of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

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
    zero,
)
from darknet_py.ops.cpu.codegen.kernel import Epilogue, TensorView, part
from darknet_py.ops.cpu.codegen.tile import FLOAT, VECTOR, Sums

SLOPES = {
    "linear": (1.0, 1.0),
    "relu": (1.0, 0.0),
    "leaky": (1.0, 0.1),
    "revleaky": (1.0, 0.1),
    "relie": (1.0, 0.01),
    "ramp": (1.1, 0.1),
}
"""Two slopes: y = max(first x, second x)."""


def emit_epilogue(
    builder: Builder,
    sums: Sums,
    places: Sequence[Value],
    epilogue: Epilogue,
    pool: Callable[[Sums], Sums] | None = None,
) -> None:
    """Stores sums at `places`, a row of vectors at each; pool: what makes fewer rows of them, to
    which nothing is added."""
    sums = emit_biases(builder, epilogue.biases, sums)
    if pool is None:
        sums = emit_residual(builder, epilogue.residual, places, sums)
    else:
        sums = pool(sums)
    sums = [emit_activation(builder, epilogue.slopes, row) for row in sums]
    if pool is None:
        sums = emit_residual(builder, epilogue.residual_after, places, sums, epilogue.mask)
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


def emit_slope(y: Vector, slopes: Value) -> Vector:
    """The activation's slope where y is its output, or what it was given: the sign is the same."""
    first = splat(y.builder, slopes)
    second = splat(y.builder, offset(y.builder, slopes, FLOAT))
    return where(y > 0.0, first, second)


def square(builder: Builder, first: Value, x: TensorView) -> list[Value]:
    """The addresses of 2x2 pixels of a map."""
    below = builder.add(first, x.row)
    return [first, builder.add(first, x.pixel), below, builder.add(below, x.pixel)]


def share_of_largest(values: Sequence[Vector], best: Vector, delta: Vector) -> list[Vector]:
    """Of each value its part of a delta: the first that is the largest gets all."""
    left, none, shares = delta, zero(delta.builder), []
    for value in values:
        is_best = value == best
        shares.append(where(is_best, left, none))
        left = where(is_best, none, left)
    return shares


def emit_biases(builder: Builder, biases: Value, sums: Sums) -> Sums:
    bias = [load(builder, offset(builder, biases, VECTOR * j)) for j in range(len(sums[0]))]
    return [[x + bias[j] for j, x in enumerate(row)] for row in sums]


def emit_residual(
    builder: Builder, shift: Value, places: Sequence[Value], sums: Sums, mask: Value | None = None
) -> Sums:
    """The map that lies `shift` bytes from `places`, one for each row of sums, added; 0: none.

    mask: where it is the address of two slopes, and not 0, the sums are multiplied instead, by the
    slope of an activation whose output that map is.
    """
    flat = [x for row in sums for x in row]
    width = len(sums[0])
    variables = Variables(builder, flat)
    with builder.if_then(builder.icmp_signed("!=", shift, const(0))):
        starts = [builder.add(place, shift) for place in places]
        steps = [VECTOR * j for j in range(width)]
        maps = [load(builder, offset(builder, at, step)) for at in starts for step in steps]
        variables.set([x + y for x, y in zip(flat, maps, strict=True)])
        if mask is not None:
            with builder.if_then(builder.icmp_signed("!=", mask, const(0))):
                slopes = [emit_slope(y, mask) for y in maps]
                variables.set([x * slope for x, slope in zip(flat, slopes, strict=True)])
    flat = variables.get()
    return [flat[i * width : (i + 1) * width] for i in range(len(sums))]


def emit_store(places: Sequence[Value], sums: Sums) -> None:
    for place, row in zip(places, sums, strict=True):
        for j, x in enumerate(row):
            store(x, offset(x.builder, place, VECTOR * j))


@part
def at_filters(epilogue, shift):  # type: ignore[no-untyped-def]
    """The epilogue of filters that begin so many bytes further on, as a tile's last arguments."""
    biases, slopes, residual, residual_after, mask = epilogue
    return biases + shift, slopes, residual, residual_after, mask
