from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel
from darknet_py.ops.cpu.runtime.atomics import BARRIER
from darknet_py.ops.cpu.runtime.interpreter import ROW, interpret, walk
from tests.support.kernels import address, run

Array = np.ndarray


@kernel
def atomic_add(thread: int, threads: int, x: int, step: int) -> None:
    """Each thread has a place, and looks at its neighbour's."""
    neighbour = x + 8 * ((thread + 1) % threads)
    store_i64(x + 8 * (threads + thread), load_i64(neighbour) + step)


@kernel
def copy_back(thread: int, threads: int, x: int) -> None:
    store_i64(x + 8 * thread, load_i64(x + 8 * (threads + thread)))


@kernel
def walk_as_fewer(
    thread: int, threads: int, members: int, table: int, rows: int, barrier: int
) -> None:
    walk(thread, threads, members, table, rows, barrier)


def make_table(x: Array, rounds: int) -> Array:
    table = np.zeros((2 * rounds, ROW // 8), np.int64)
    for i in range(rounds):
        for row, step in (
            (2 * i, atomic_add.step(x=address(x), step=i)),
            (2 * i + 1, copy_back.step(x=address(x))),
        ):
            table[row, : len(step)] = step
    return table


def together(program: Kernel, threads: int, **arguments: int) -> None:
    """On real threads, which wait for each other."""
    start, *row = program.step(**arguments)
    memory = np.array(row, np.int64)
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
    function: Callable[[int, int, int], int] = kind(start)
    others = [
        threading.Thread(target=function, args=(thread, threads, address(memory)))
        for thread in range(threads)
    ]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_meet_after_every_row(threads: int) -> None:
    rounds = 300 if threads < 7 else 30
    x = np.zeros(2 * threads, np.int64)
    x[:threads] = np.arange(threads)
    table, barrier = make_table(x, rounds), np.zeros(BARRIER, np.int64)
    for _ in range(3):
        before = x[:threads].copy()
        together(
            interpret, threads, table=address(table), rows=len(table), barrier=address(barrier)
        )
        expected = np.roll(before, -rounds) + sum(range(rounds))
        np.testing.assert_array_equal(x[:threads], expected)
        assert barrier[0] == 0


def test_a_table_without_rows() -> None:
    barrier = np.zeros(BARRIER, np.int64)
    together(interpret, 2, table=0, rows=0, barrier=address(barrier))
    assert not barrier.any()


@pytest.mark.parametrize(("threads", "members"), [(1, 2), (1, 5), (2, 3), (2, 4), (3, 7)])
def test_fewer_threads_do_the_work_of_all(threads: int, members: int) -> None:
    results = []
    for team in (members, threads):
        x = np.zeros(2 * members, np.int64)
        x[:members] = np.arange(members)
        table, barrier = make_table(x, 20), np.zeros(BARRIER, np.int64)
        together(
            walk_as_fewer,
            team,
            members=members,
            table=address(table),
            rows=len(table),
            barrier=address(barrier),
        )
        results.append(x)
    np.testing.assert_array_equal(results[0], results[1])


def test_a_kernel_runs_alone() -> None:
    x = np.array([1, 2], np.int64)
    run(atomic_add, x=address(x), step=10)
    np.testing.assert_array_equal(x, [1, 11])
