"""Runs what was recorded, for pictures from the host."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import cupy as cp
import numpy as np

from darknet_py.errors import DeviceError
from darknet_py.ops.gpu.arrays import array, to_host
from darknet_py.ops.gpu.faults import out_of_memory
from darknet_py.ops.gpu.pool import Pool
from darknet_py.ops.gpu.program import Program
from darknet_py.ops.gpu.room import make_room, register
from darknet_py.ops.gpu.timing import peak
from darknet_py.ops.graph import Graph
from darknet_py.ops.replay import peak_bytes, replay
from darknet_py.ops.times import Times

_KEPT = 8
"""Programs that are kept, the last used ones: each has memory of its own."""


class Engine:
    """What a network runs on; it keeps the programs that it made."""

    trains = True
    """Whether `run` takes recordings of training too."""
    draws = True
    """Whether it takes those that are others each time, as layers draw at random."""

    def __init__(self, exact: bool = False, half: bool = False) -> None:
        """exact: no algorithm that rounds more than the plain one does. half: maps are bfloat16.

        Raises DeviceError for both at once.
        """
        if exact and half:
            raise DeviceError("a network is exact or of half precision: leave out one of the two")
        self.exact = exact
        self.half = half
        self._programs: OrderedDict[Hashable, Program] = OrderedDict()
        self._pool = Pool()
        self.lock = self._lock = threading.RLock()
        """See the CPU's."""
        self.versions: WeakKeyDictionary[Hashable, int] = WeakKeyDictionary()
        """Of parameters, when programs were made of them."""
        register(self)

    def free_memory(self) -> int | None:
        """Bytes that the device has free; None where it has no memory of its own."""
        return int(cp.cuda.runtime.memGetInfo()[0])

    def forecast(self, recording: Graph) -> tuple[int, dict[Hashable, int]] | None:
        """See the CPU's; a device's programs are not known before they are planned."""
        return None

    def clear(self) -> None:
        """Forgets all programs."""
        with self._lock:
            self._programs.clear()
            self._pool.free()

    def let_go(self) -> None:
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

    def run(
        self,
        key: Hashable,
        record: Callable[[int], Graph],
        x: np.ndarray,
        *others: np.ndarray,
        arrays: Sequence[Any] = (),
        changing: bool = False,
        fresh: bool = False,
        time_steps: int = 1,
    ) -> list[np.ndarray]:
        """The outputs (n, h, w, c) for x (n, c, h, w) float32; record(n) makes the recording.

        key: what is computed, and for which size of picture. others: what else the recording is
        given. arrays: the parameters; where they are no float32, all is computed as they are.
        changing: parameters move between runs, and are read in each. fresh: the recording is
        another one each time. time_steps: so many rows make a sequence; here a batch is never
        cut. Raises OutOfMemoryError.
        """
        given = [x, *others]
        if {each.dtype for each in arrays} - {np.dtype(np.float32)}:
            there = [array(each, arrays[0].dtype) for each in given]
            return [to_host(y) for y in replay(record(len(x)), there)]
        # an id is unique as long as a program, which knows the arrays, is kept
        full_key = key, tuple(map(id, arrays)), tuple(each.shape for each in given)
        with self._lock, self._within_memory(full_key, record, len(x)):
            if fresh:
                return self._made(record(len(x)), arrays, changing, self._pool).run(given)
            return self._program(full_key, record, len(x), arrays, changing).run(given)

    def times(
        self,
        key: Hashable,
        record: Callable[[int], Graph],
        x: np.ndarray,
        *others: np.ndarray,
        arrays: Sequence[Any] = (),
        changing: bool = False,
        time_steps: int = 1,
        rounds: int = 7,
    ) -> Times:
        """How long each step takes of what `run` would run; it is not kept."""
        with self._lock, self._within_memory(key, record, len(x)):
            program = self._made(record(len(x)), arrays, changing, Pool())
            found = program.times([x, *others], rounds)
            return found._replace(peak=peak(cp.cuda.Device().id, self.exact, self.half))

    @contextmanager
    def _within_memory(
        self, key: Hashable, record: Callable[[int], Graph], n: int
    ) -> Iterator[None]:
        """Says what would fit where memory ends, and forgets the program that took it."""
        try:
            yield
        except cp.cuda.memory.OutOfMemoryError as error:
            self._programs.pop(key, None)
            each = peak_bytes(record(n), 2 if self.half else 4) // n
            raise out_of_memory(error, cp.cuda.runtime.memGetInfo()[0], each) from error

    def _program(
        self,
        key: Hashable,
        record: Callable[[int], Graph],
        n: int,
        arrays: Sequence[Any],
        changing: bool,
    ) -> Program:
        if key not in self._programs:
            # a graph's kernels use its memory for good
            self._programs[key] = self._made(record(n), arrays, changing, Pool())
        self._programs.move_to_end(key)
        while len(self._programs) > _KEPT:
            self._programs.popitem(last=False)
        return self._programs[key]

    def _made(self, recording: Graph, arrays: Sequence[Any], changing: bool, pool: Pool) -> Program:
        how = {"exact": self.exact, "half": self.half, "changing": changing}
        program = Program(recording, arrays, pool, **how)
        # what has begun to change parameters cannot be tried again: room comes first
        if not program.has_room():
            make_room()
        return program
