"""Runs graphs of networks, for pictures from the host: compiles, and keeps what it compiled."""

from __future__ import annotations

import operator
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from darknet_py.errors import DeviceError, OutOfMemoryError
from darknet_py.ops.cpu.compile.allocate import FLOAT
from darknet_py.ops.cpu.compile.program import Executable, Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations.convolution.convolution import Convolution
from darknet_py.ops.cpu.operations.convolution.peak import peak
from darknet_py.ops.cpu.runtime.thread_pool import thread_pool
from darknet_py.ops.cpu.runtime.threads import thread_count
from darknet_py.ops.execution import LazyGraph, Times, replay
from darknet_py.ops.graph import Graph
from darknet_py.ops.memory import SMALL, available_memory, check_memory

_engines: WeakSet[Engine] = WeakSet()


def _renew_locks() -> None:
    """In a child, which has none of the threads that may have held them."""
    for engine in _engines:
        engine.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


_GROUP = 4
"""Pictures that a thread takes together: late layers read their weights once for all of them."""
_KEPT = 12
"""Programs in the LRU cache."""


class _Identity:
    """Arrays by identity, in keys; such a key keeps them alive, so that no id is used again."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = tuple(arrays)
        self._hash = hash(tuple(map(id, arrays)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Identity) or len(self._arrays) != len(other._arrays):
            return False
        return all(map(operator.is_, self._arrays, other._arrays))


class Engine:
    """What a network runs on; it keeps the programs that it made."""

    def __init__(self, exact: bool = False, half: bool = False) -> None:
        """exact: no algorithm that rounds more than the plain one does. half: maps are bfloat16.

        Raises DeviceError for half, which processors are no faster with.
        """
        if half:
            raise DeviceError("half precision is for GPUs alone: leave out --half")
        self.exact, self.half = exact, half
        self._weights = Weights()
        self._programs: OrderedDict[Hashable, list[Executable]] = OrderedDict()
        self.lock = threading.RLock()
        """Held by whoever computes: a program's memory and parameters' updates are all threads'."""
        self.versions: WeakKeyDictionary[Hashable, int] = WeakKeyDictionary()
        """Of parameters, when programs were made of them."""
        _engines.add(self)

    def free_memory(self) -> int | None:
        """Bytes that the device has free; None where it has no memory of its own."""
        return None

    def forecast(self, graph: Graph) -> tuple[int, dict[Hashable, int]] | None:
        """Bytes that a program of this graph would take, and those of each packed array of its
        weights, which programs share; nothing is allocated, and parameters need no values. None
        where that is not known beforehand."""
        program = Program(graph, self._weights, thread_count(), self.exact)
        convolutions = [step for step in program.steps if isinstance(step, Convolution)]
        packed: dict[Hashable, int] = {
            (step.weights.ctypes.data, step.chosen.m, step.backward): step.packed_size()
            for step in convolutions
        }
        return FLOAT * program.memory.floats + program.scratch, packed

    def clear(self) -> None:
        """Forgets all programs."""
        with self.lock:
            self._programs.clear()
            self._weights.clear()

    def moved(self) -> None:
        """Forgets programs that hold parameters: an optimiser has moved them."""
        with self.lock:
            for key in [key for key, (bound, *_) in self._programs.items() if not bound.changing]:
                del self._programs[key]
            self._weights.clear()

    def run(self, function: LazyGraph, x: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
        """The outputs (n, h, w, c) for x (n, c, h, w) float32, and what else the graph is given.

        Raises OutOfMemoryError.
        """
        if {array.dtype for array in function.parameters} - {np.dtype(np.float32)}:
            self._check_batch(None, function, x)
            kind = function.parameters[0].dtype
            with self._within_memory(function, x):
                given = [each.astype(kind) for each in (x, *others)]
                return replay(function.trace(len(x)), given)
        x = np.ascontiguousarray(x, np.float32)
        threads = thread_count()
        key = _key(function)
        is_cut = not (function.changing or others or function.time_steps > 1)
        with self.lock:
            if len(x) >= threads > 1 and is_cut:
                (first,) = self._loaded(key, function, _group(len(x), threads), 1, 1)
                if first.table is not None:
                    return self._run_in_groups(key, function, x, threads)
            self._check_batch(key, function, x)
            with self._within_memory(function, x):
                (whole,) = self._loaded(key, function, len(x), threads, 1)
                whole.run(x, *others)
                return [_host_copy(y) for y in whole.outputs]

    def times(
        self, function: LazyGraph, x: np.ndarray, *others: np.ndarray, rounds: int = 7
    ) -> Times:
        """How long each step takes of what `run` would run, with all threads on each."""
        key = _key(function)
        x = np.ascontiguousarray(x, np.float32)
        with self.lock:
            self._check_batch(key, function, x)
            with self._within_memory(function, x):
                (whole,) = self._loaded(key, function, len(x), thread_count(), 1)
            whole.run(x, *others)
            steps = [
                (
                    step.name,
                    (step.writes or step.reads)[0].shape,
                    step.algorithm,
                    step.operations(),
                    seconds,
                )
                for step, seconds in whole.times(x, rounds)
            ]
        return Times(steps, peak(), whole.program.memory.floats * FLOAT / 1e6)

    def _run_in_groups(
        self, key: Hashable, function: LazyGraph, x: np.ndarray, threads: int
    ) -> list[np.ndarray]:
        """Each thread takes whole pictures, which stay in its own caches."""
        parts: list[list[np.ndarray]] = []
        start = 0
        while start < len(x):
            group = _group(len(x) - start, threads)
            members = min((len(x) - start) // group, threads)
            loaded = self._loaded(key, function, group, 1, members)
            jobs = []
            for each in loaded:
                assert each.table is not None
                each.table.set_input(x[start:].ctypes.data)
                jobs.append([each.table.job])
                start += group
            thread_pool().run_alone(jobs)
            parts += [[y.copy() for y in each.outputs] for each in loaded]
        return [np.concatenate(ys) for ys in zip(*parts, strict=True)]

    def _check_batch(self, key: Hashable, function: LazyGraph, x: np.ndarray) -> None:
        """Raises OutOfMemoryError for a large batch whose maps there is no memory for, before
        anything of it is made."""
        n = len(x)
        is_large = x.nbytes > SMALL and n > function.time_steps
        if is_large and (key, n, thread_count()) not in self._programs:
            self._check_memory(self._needed(function, n), n)

    @contextmanager
    def _within_memory(self, function: LazyGraph, x: np.ndarray) -> Iterator[None]:
        """Raises OutOfMemoryError where memory ends after all, with the batch that would fit."""
        try:
            yield
        except MemoryError as error:
            n = len(x)
            fits = int(n * available_memory() / max(self._needed(function, n), 1))
            message = f"{n:,} at once need more memory than there is"
            raise OutOfMemoryError(message, min(fits, n - 1)) from error

    def _needed(self, function: LazyGraph, n: int) -> int:
        """Bytes that the maps of n take, by those of the fewest rows that can be traced: nothing of
        a large batch is made."""
        least = function.time_steps
        few = self._program(function, least, thread_count())
        return FLOAT * few.memory.floats * n // least

    def _program(self, function: LazyGraph, n: int, threads: int) -> Program:
        graph = function.trace(n)
        return Program(graph, self._weights, threads, self.exact, function.changing)

    def _check_memory(self, needed: int, n: int) -> None:
        """Raises OutOfMemoryError where there are not so many bytes for maps, even without those of
        other programs, which go then."""
        try:
            check_memory(needed, n)
        except OutOfMemoryError:
            self._programs.clear()
            check_memory(needed, n)

    def _loaded(
        self, key: Hashable, function: LazyGraph, n: int, threads: int, count: int
    ) -> list[Executable]:
        """`count` programs, each with memory of its own."""
        full_key = key, n, threads
        if full_key not in self._programs:
            program = self._program(function, n, threads)
            self._check_memory(FLOAT * program.memory.floats + program.scratch, n)
            self._programs[full_key] = [program.bind()]
        self._programs.move_to_end(full_key)
        loaded = self._programs[full_key]
        while len(loaded) < count:
            loaded.append(loaded[0].program.bind())
        while len(self._programs) > _KEPT:
            self._programs.popitem(last=False)
        return loaded[:count]


def _key(function: LazyGraph) -> Hashable:
    return function.key, _Identity(function.parameters)


def _host_copy(y: np.ndarray) -> np.ndarray:
    """A copy of a map (n, h, w, c), in memory as (n, c, h, w): callers' order, and numpy is faster
    at rows of pixels than at pixels of a few channels."""
    return y.transpose(0, 3, 1, 2).copy().transpose(0, 2, 3, 1) if y.ndim == 4 else y.copy()


def _group(count: int, threads: int) -> int:
    """Pictures for each thread, of so many that are left."""
    return max(min(_GROUP, count // threads), 1)
