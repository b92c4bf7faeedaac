"""Instructions, called by kernels on vectors of every length."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen import emit, host
from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Loop,
    Value,
    Variables,
    const,
    fused,
    instruction,
    load,
    offset,
    pointer,
    splat,
    spread,
    store,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.kernel import kernel
from tests.support.kernels import address, run

LENGTH = host.vector_length()
_size = 4 * LENGTH
_half = LENGTH // 2


@instruction
def arithmetic(builder: Builder, a: Value, b: Value, y: Value) -> None:
    """One vector a result, in the order of test_arithmetic."""
    x, z = load(builder, a), load(builder, b)
    two = splat(builder, offset(builder, b, 4))
    results = [
        x + z,
        x - z,
        x * z,
        x / z,
        x.max(z),
        where(x > z, x, zero(builder)),
        where(x == z, zero(builder) + 1.0, zero(builder)),
        fused(x, z, x),
        x * 3.0 + 0.1,
        2 * x + z,
        x.max(0.5),
        two,
        where(x > 0.5, x, z),
    ]
    for i, result in enumerate(results):
        store(result, offset(builder, y, _size * i))


@kernel
def calculate(thread: int, threads: int, a: int, b: int, y: int) -> None:
    arithmetic(a, b, y)


def test_arithmetic() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, LENGTH)).astype("f")
    b[0] = a[0]
    y = np.zeros((14, LENGTH), "f")
    run(calculate, a=address(a), b=address(b), y=address(y))
    exact = (a.astype("d") * b + a).astype("f")
    expected = [
        a + b,
        a - b,
        a * b,
        a / b,
        np.maximum(a, b),
        np.where(a > b, a, 0),
        a == b,
        exact,
        a * np.float32(3) + np.float32(0.1),
        2 * a + b,
        np.maximum(a, np.float32(0.5)),
        np.full(LENGTH, b[1]),
        np.where(a > 0.5, a, b),
        np.zeros(LENGTH),
    ]
    # a sum of a product may be rounded once or twice
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
    if host.has_fused():
        np.testing.assert_array_equal(y[7], exact)


def test_the_larger_of_what_is_no_number() -> None:
    a, b = np.full(LENGTH, np.nan, "f"), np.arange(LENGTH, dtype="f")
    y = np.zeros((13, LENGTH), "f")
    run(calculate, a=address(a), b=address(b), y=address(y))
    np.testing.assert_array_equal(y[4], b)
    run(calculate, a=address(b), b=address(a), y=address(y))
    np.testing.assert_array_equal(y[4], a)


@instruction
def sum_of_rows(builder: Builder, x: Value, rows: Value, columns: Value, y: Value) -> None:
    """Two sums in variables, a loop in a loop."""
    sums = Variables(builder, [zero(builder), zero(builder)])
    with Loop(builder, rows) as i:
        row = builder.add(x, builder.mul(builder.mul(i, columns), const(_size)))
        with Loop(builder, columns, step=2) as j:
            here = load(builder, builder.add(row, builder.mul(j, const(_size))))
            first, second = sums.get()
            sums.set([first + here, second + here * here])
    for i, total in enumerate(sums.get()):
        store(total, offset(builder, y, _size * i))


@kernel
def add_rows(thread: int, threads: int, x: int, rows: int, columns: int, y: int) -> None:
    sum_of_rows(x, rows, columns, y)


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (1, 1), (3, 4), (2, 5), (4, 0)])
def test_loops(rows: int, columns: int) -> None:
    x = np.random.default_rng(2).normal(size=(rows, columns, LENGTH)).astype("f")
    y = np.full((2, LENGTH), 9, "f")
    run(add_rows, x=address(x), rows=rows, columns=columns, y=address(y))
    used = x[:, ::2].reshape(-1, LENGTH).astype("d")
    expected = np.stack([used.sum(0), (used * used).sum(0)])
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@instruction
def halve(builder: Builder, x: Value, y: Value) -> None:
    """Vectors of half the length; a number that is computed, spread."""
    first, second = load(builder, x, _half), splat(builder, offset(builder, x, 4), _half)
    place = pointer(builder, x, emit.F32)
    both = builder.fadd(builder.load(place), builder.load(place))
    variables = Variables(builder, [first + second + zero(builder, _half)])
    store(variables.get()[0] + spread(builder, both, _half), y)


@kernel
def shorten(thread: int, threads: int, x: int, y: int) -> None:
    halve(x, y)


def test_other_lengths() -> None:
    x, y = np.arange(1, LENGTH + 1, dtype="f"), np.zeros(LENGTH, "f")
    run(shorten, x=address(x), y=address(y))
    np.testing.assert_array_equal(y[:_half], x[:_half] + x[1] + 2 * x[0])
    assert not y[_half:].any()


def test_instructions_are_for_kernels() -> None:
    with pytest.raises(TypeError, match="in a kernel only"):
        arithmetic(1, 2, 3)
