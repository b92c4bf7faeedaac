"""Runs graphs of networks, for pictures from the host: compiles, and keeps what it compiled."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import cupy as cp
import numpy as np

from darknet_py.errors import DeviceError
from darknet_py.ops.execution import LazyGraph, Times, peak_bytes, replay
from darknet_py.ops.gpu.arrays import array, to_host
from darknet_py.ops.gpu.faults import out_of_memory
from darknet_py.ops.gpu.memory import Pool, register, release_unused
from darknet_py.ops.gpu.profile import peak
from darknet_py.ops.gpu.program import Program
from darknet_py.ops.graph import Graph

_KEPT = 8
"""Programs that are kept, the last used ones: each has memory of its own."""


class Engine:
    """What a network runs on; it keeps the programs that it made."""

    def __init__(self, exact: bool = False, half: bool = False) -> None:
        """exact: no algorithm that rounds more than the plain one does. half: maps are bfloat16.

        Raises DeviceError for both at once.
        """
        if exact and half:
            raise DeviceError("a network is exact or of half precision: leave out one of the two")
        self.exact = exact
        self.half = half
        self._programs: OrderedDict[Hashable, Program] = OrderedDict()
        self.lock = self._lock = threading.RLock()
        """See the CPU's."""
        self.versions: WeakKeyDictionary[Hashable, int] = WeakKeyDictionary()
        """Of parameters, when programs were made of them."""
        register(self)

    def free_memory(self) -> int | None:
        """Bytes that the device has free; None where it has no memory of its own."""
        return int(cp.cuda.runtime.memGetInfo()[0])

    def forecast(self, graph: Graph) -> tuple[int, dict[Hashable, int]] | None:
        """See the CPU's; a device's programs are not known before they are planned."""
        return None

    def clear(self) -> None:
        """Forgets all programs."""
        with self._lock:
            self._programs.clear()

    def release(self) -> None:
        """The same, unless a thread computes with them."""
        if self._lock.acquire(blocking=False):
            try:
                self.clear()
            finally:
                self._lock.release()

    def moved(self) -> None:
        """Forgets programs that hold parameters: an optimiser has moved them."""
        with self._lock:
            for key in [key for key, program in self._programs.items() if not program.changing]:
                del self._programs[key]

    def run(self, function: LazyGraph, x: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
        """The outputs (n, h, w, c) for x (n, c, h, w) float32, and what else the graph is given.

        A batch is never cut. Raises OutOfMemoryError.
        """
        given = [x, *others]
        parameters = function.parameters
        if {each.dtype for each in parameters} - {np.dtype(np.float32)}:
            there = [array(each, parameters[0].dtype) for each in given]
            return [to_host(y) for y in replay(function.trace(len(x)), there)]
        # an id is unique as long as a program, which knows the arrays, is kept
        key = function.key, tuple(map(id, parameters)), tuple(each.shape for each in given)
        with self._lock, self._within_memory(key, function, len(x)):
            return self._program(key, function, len(x)).run(given)

    def times(
        self, function: LazyGraph, x: np.ndarray, *others: np.ndarray, rounds: int = 7
    ) -> Times:
        """How long each step takes of what `run` would run; it is not kept."""
        with self._lock, self._within_memory(function.key, function, len(x)):
            program = self._compile(function, len(x))
            found = program.times([x, *others], rounds)
            return found._replace(peak=peak(cp.cuda.Device().id, self.exact, self.half))

    @contextmanager
    def _within_memory(self, key: Hashable, function: LazyGraph, n: int) -> Iterator[None]:
        """Says what would fit where memory ends, and forgets the program that took it."""
        try:
            yield
        except cp.cuda.memory.OutOfMemoryError as error:
            self._programs.pop(key, None)
            each = peak_bytes(function.trace(n), 2 if self.half else 4) // n
            raise out_of_memory(error, cp.cuda.runtime.memGetInfo()[0], each) from error

    def _program(self, key: Hashable, function: LazyGraph, n: int) -> Program:
        if key not in self._programs:
            self._programs[key] = self._compile(function, n)
        self._programs.move_to_end(key)
        while len(self._programs) > _KEPT:
            self._programs.popitem(last=False)
        return self._programs[key]

    def _compile(self, function: LazyGraph, n: int) -> Program:
        how = {"exact": self.exact, "half": self.half, "changing": function.changing}
        program = Program(function.trace(n), function.parameters, Pool(), **how)
        # what has begun to change parameters cannot be tried again: room comes first
        if not program.has_room():
            release_unused()
        return program
