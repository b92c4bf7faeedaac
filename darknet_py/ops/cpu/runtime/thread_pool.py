"""The thread pool that runs tables of steps: see interpreter.py.

The caller is one of its threads. The others are Python's threads, but never return to Python:
between two programs they spin for a moment, as the next often follows at once, and then sleep.
Starting a program and waiting for its end is one native call, which no Ctrl-C can cut in two.
Where there are no POSIX threads, as on Windows, a worker that finds no work for a moment does
return, and sleeps in Python: slower to wake, as that needs the interpreter's lock.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np

from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from darknet_py.ops.cpu.codegen.kernel import kernel, part
from darknet_py.ops.cpu.codegen.loader import keep
from darknet_py.ops.cpu.runtime.atomics import (
    BARRIER,
    CONDITION,
    LINE,
    MUTEX,
    atomic_add,
    atomic_load,
    atomic_store,
    cond_broadcast,
    cond_init,
    cond_wait,
    lock,
    pause,
    unlock,
    wait_until,
)
from darknet_py.ops.cpu.runtime.interpreter import walk
from darknet_py.ops.cpu.runtime.threads import thread_count

Job = tuple[int, int]
"""The address of a table, and its rows."""

HAS_PTHREADS = sys.platform != "win32"

_PATIENCE = 5000
"""Turns of a spinning thread without work before it sleeps: some 20 to 200 us."""

# What the threads share: where it is in their memory, in bytes.
_NUMBER = 0  # of programs so far, by which a new one is seen
_DONE = _NUMBER + LINE  # how many workers have finished it
_SLEEPERS = _DONE + LINE  # how many sleep, or are about to
_PROGRAM = _SLEEPERS + LINE  # threads, members, table, rows; or threads, 0, lists, their count
_BARRIER = _PROGRAM + LINE
_MUTEX = _BARRIER + 8 * BARRIER
_CONDITION = _MUTEX + MUTEX
_SIZE = _CONDITION + CONDITION


class ThreadPool:
    """Runs one program at a time; other callers wait.

    Where the system gives fewer threads than members, those do the work of all: slower, with the
    same results.
    """

    def __init__(self, members: int) -> None:
        assert members > 0
        self.members = members
        self.renew()

    def renew(self) -> None:
        """In a child: none of the parent's threads has come along, but perhaps a lock was held."""
        self._lock = threading.Lock()
        self._workers: _Workers | None = None

    def run(self, table: int, rows: int) -> None:
        """Runs a table, all together."""
        self._run(self.members, table, rows)

    def run_alone(self, jobs: Sequence[Sequence[Job]]) -> None:
        """Runs lists of tables, each list by one member, as thread 0 of 1.

        The members take the lists in turns, if there are more.
        """
        # where each list ends, in pairs of numbers, and then all pairs
        ends = accumulate((len(tables) for tables in jobs), initial=0)
        pairs = (number for tables in jobs for job in tables for number in job)
        lists = np.array([*ends, *pairs], np.int64)
        self._run(0, lists.ctypes.data, len(jobs))

    def _run(self, *program: int) -> None:
        with self._lock:
            if self._workers is None:
                self._workers = _Workers(self.members)
            self._workers.run(program)


class _Workers:
    """The threads of a pool, and the memory that they share."""

    def __init__(self, members: int) -> None:
        memory = np.zeros(_SIZE + LINE * (members + 1), np.uint8)
        keep(memory)  # the threads never end
        first = -memory.ctypes.data % LINE
        row = np.array([memory.ctypes.data + first], np.int64)
        keep(row)
        self._row = row.ctypes.data
        self._program = memory[first + _PROGRAM :][:32].view(np.int64)
        self._number = memory[first + _NUMBER :][:8].view(np.int64)
        self._seen = memory[first + _SIZE :][: LINE * members].view(np.int64)[:: LINE // 8]
        self._wake: threading.Condition | None = None
        if HAS_PTHREADS:
            _function(prepare.address())(0, 1, self._row)
            self._lead = _function(lead.address())
            work: Callable[[int, int, int], object] = _function(serve.address())
        else:
            self._wake, self._next = threading.Condition(), 0
            self._lead, work = _function(lead_awake.address()), self._serve
            self._look = _function(serve_awhile.address())
        self._threads = 1
        for thread in range(1, members):
            worker = threading.Thread(
                target=work, args=(thread, 0, self._row), name=f"darknet-{thread}", daemon=True
            )
            try:
                worker.start()
            except RuntimeError:  # the system has no more
                break
            self._threads += 1

    def run(self, program: Sequence[int]) -> None:
        self._program[:] = self._threads, *program
        if self._wake is not None:
            with self._wake:
                self._next = self._number[0] + 1
                self._wake.notify_all()
        self._lead(0, self._threads, self._row)

    def _serve(self, thread: int, _threads: int, row: int) -> None:
        """A worker, for ever, without POSIX threads."""
        assert self._wake is not None
        while True:
            self._look(thread, 0, row)
            with self._wake:
                self._wake.wait_for(lambda: self._next > self._seen[thread])


def _function(address: int) -> Callable[[int, int, int], int]:
    """A kernel, called without the interpreter's lock."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    return kind(address)


@kernel
def prepare(thread: int, threads: int, memory: int) -> None:
    """Before anything else."""
    cond_init(memory + _MUTEX, memory + _CONDITION)


@kernel
def lead(thread: int, threads: int, memory: int) -> None:
    """The caller: starts the program in the memory, and runs its own part."""
    atomic_add(memory + _NUMBER)
    # a worker counts itself as a sleeper and then loads the number: none misses the other
    if atomic_load(memory + _SLEEPERS) > 0:
        lock(memory + _MUTEX)
        cond_broadcast(memory + _CONDITION)
        unlock(memory + _MUTEX)
    take_part(0, memory)
    wait_until(memory + _DONE, threads - 1)
    store_i64(memory + _DONE, 0)


@kernel
def lead_awake(thread: int, threads: int, memory: int) -> None:
    """The same, where Python has woken those who slept."""
    atomic_add(memory + _NUMBER)
    take_part(0, memory)
    wait_until(memory + _DONE, threads - 1)
    store_i64(memory + _DONE, 0)


@kernel
def serve(thread: int, threads: int, memory: int) -> None:
    """A worker, for ever."""
    number = 0
    while True:
        turns = 0
        while atomic_load(memory + _NUMBER) == number:
            turns += 1
            if turns < _PATIENCE:
                pause()
                continue
            lock(memory + _MUTEX)
            atomic_add(memory + _SLEEPERS)
            while atomic_load(memory + _NUMBER) == number:
                cond_wait(memory + _CONDITION, memory + _MUTEX)
            atomic_store(memory + _SLEEPERS, atomic_load(memory + _SLEEPERS) - 1)
            unlock(memory + _MUTEX)
        number += 1
        take_part(thread, memory)
        atomic_add(memory + _DONE)


@kernel
def serve_awhile(thread: int, threads: int, memory: int) -> None:
    """A worker, until there has been no work for a moment."""
    seen = memory + _SIZE + LINE * thread
    turns = 0
    while turns < _PATIENCE:
        if atomic_load(memory + _NUMBER) == load_i64(seen):
            turns += 1
            pause()
            continue
        store_i64(seen, load_i64(seen) + 1)
        take_part(thread, memory)
        atomic_add(memory + _DONE)
        turns = 0


@part
def take_part(thread: int, memory: int) -> None:
    """A thread's part of the program in the memory."""
    program = memory + _PROGRAM
    threads, members = load_i64(program), load_i64(program + 8)
    first, count = load_i64(program + 16), load_i64(program + 24)
    if members > 0:
        walk(thread, threads, members, first, count, memory + _BARRIER)
        return
    pairs = first + 8 * (count + 1)
    for i in range(thread, count, threads):
        for pair in range(load_i64(first + 8 * i), load_i64(first + 8 * i + 8)):
            walk(0, 1, 1, load_i64(pairs + 16 * pair), load_i64(pairs + 16 * pair + 8), 0)


class _ThreadPools:
    """Those of this process, by how many they are."""

    def __init__(self) -> None:
        self._pools: dict[int, ThreadPool] = {}
        self.renew()

    def of(self, members: int) -> ThreadPool:
        with self._lock:
            if members not in self._pools:
                self._pools[members] = ThreadPool(members)
            return self._pools[members]

    def renew(self) -> None:
        self._lock = threading.Lock()
        for one in self._pools.values():
            one.renew()


_pools = _ThreadPools()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.renew)


def thread_pool() -> ThreadPool:
    """The process's pool, of thread_count() members."""
    return _pools.of(thread_count())
