"""What kernels may say, seen by what they do; and that their code stands on its own."""

from __future__ import annotations

from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.compiler import compile_kernel
from darknet_py.ops.cpu.codegen.emit import F64, Builder, Value, load_i64, number, store_i64
from darknet_py.ops.cpu.codegen.kernel import COLUMNS, Kernel, kernel, part
from tests.support.kernels import address, run

_factor = 3


@part
def twice(x: int) -> int:
    return 2 * x


@part
def scaled(x: int) -> int:
    """A part that calls a part, and knows a constant."""
    if x < 0:
        return -1
    result: int = twice(x) * _factor
    return result


@number
def half(builder: Builder, x: Value) -> Value:
    return builder.fmul(builder.sitofp(x, F64), F64(0.5))


@kernel
def speak(thread: int, threads: int, x: int, y: int, count: int) -> None:
    for i in range(thread, count, threads):
        value = load_i64(x + 8 * i)
        if value > 100:
            continue
        store_i64(
            y + 8 * i, scaled(value) if half(value) > 2.0 or value < 0 else max(value, 1) // 2
        )


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_what_kernels_may_say(threads: int) -> None:
    x = np.array([-5, 0, 1, 4, 5, 100, 101], np.int64)
    y = np.full(8, 9, np.int64)
    run(speak, threads, x=address(x), y=address(y), count=len(x))
    np.testing.assert_array_equal(y, [-1, 0, 0, 2, 30, 600, 9, 9])


def make_adder(step: int) -> Kernel:
    @part
    def more(x: int) -> int:
        return x + step

    def add(thread: int, threads: int, x: int) -> None:
        store_i64(x, more(load_i64(x)) * step)

    add.__name__ = f"add_{step}"
    return kernel(add)


def test_closures() -> None:
    x = np.array([1], np.int64)
    for step, expected in ((10, 110), (2, 224)):
        run(make_adder(step), x=address(x))
        assert x[0] == expected


class Many(NamedTuple):
    a: int
    b: int
    y: int


Columns = NamedTuple("Columns", [(f"more_{i}", int) for i in range(COLUMNS - 4)])  # type: ignore[misc]


@kernel
def many(thread: int, threads: int, first: Many, rest: Columns, z: int) -> None:
    store_i64(first.a, first.b + 3 * first.y + 4 * rest[3] + 5 * z)  # type: ignore[misc]


def test_as_many_arguments_as_a_row_has() -> None:
    y = np.zeros(1, np.int64)
    run(many, first=Many(address(y), 2, 3), rest=Columns(*range(COLUMNS - 4)), z=7)
    assert y[0] == 2 + 9 + 12 + 35
    with pytest.raises(AssertionError):
        kernel(eval("lambda thread, threads, " + ", ".join(f"a{i}" for i in range(15)) + ": None"))


def test_code_needs_nothing_of_pythons_nor_numbas() -> None:
    """It is loaded where neither numba's helpers nor its environments are."""
    code = compile_kernel(speak.function, "test.speak", [None] * 3)
    assert b"row_test_speak" in code
    for name in (b"numba_", b"NRT_", b"Py", b"_Py"):
        names = [word for word in code.split(b"\0") if word.startswith(name)]
        assert names == []
    llvm.ObjectFileRef.from_data(code)


def wrong(thread: int, threads: int, x: int) -> None:
    store_i64(x, "text")  # type: ignore[arg-type]


def test_what_kernels_may_not_say() -> None:
    with pytest.raises(TypeError, match="mismatching types"):
        kernel(wrong).address()
    with pytest.raises(TypeError, match="in a kernel only"):
        twice(1)
