"""A program: a graph compiled to tables of steps, which a thread pool interprets."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from darknet_py.ops.cpu.compile.allocate import FLOAT, aligned
from darknet_py.ops.cpu.compile.lower import lower
from darknet_py.ops.cpu.compile.step import Binding, Step, Table, Weights, in_parts
from darknet_py.ops.cpu.runtime.thread_pool import thread_pool
from darknet_py.ops.graph import Graph


class Program:
    """Runs a graph of one picture size and batch."""

    def __init__(
        self, graph: Graph, weights: Weights, threads: int, exact: bool, changing: bool = False
    ) -> None:
        """changing: parameters move between runs."""
        lowered = lower(graph, threads, exact, changing)
        self.graph, self.steps, self.memory = lowered.graph, lowered.steps, lowered.memory
        self.threads, self.changing, self.weights = threads, changing, weights
        self.scratch = max((step.scratch(threads) for step in self.steps), default=0)

    def bind(self) -> Executable:
        """The program with memory of its own."""
        return Executable(self)


class Executable:
    """A program that has an arena. One thread at a time may run it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.changing = program.changing
        arena = aligned(program.memory.floats)
        scratch = aligned(program.scratch // FLOAT + 16)
        self.binding = Binding(program.memory, arena, program.threads, program.weights, scratch)
        self.rows = [(step, step.rows(self.binding)) for step in program.steps]
        self.parts = in_parts([row for _, rows in self.rows for row in rows])
        self.outputs = [self.binding.view(y) for y in program.graph.outputs]
        """The graph's outputs (n, h, w, c): views that the next run changes."""

    def run(self, x: np.ndarray, *others: np.ndarray) -> None:
        """Computes from x (n, c, h, w) float32, contiguous; see `outputs` for what comes of it.

        others: what else the graph was given.
        """
        for given, value in zip(self.program.graph.inputs[1:], others, strict=True):
            self.binding.view(given)[...] = value
        for part in self.parts:
            self._run(part, x)

    def times(self, x: np.ndarray, rounds: int) -> list[tuple[Step, float]]:
        """Seconds that each step takes, the median of `rounds` runs."""
        steps = [(step, in_parts(rows)) for step, rows in self.rows]
        seconds = np.zeros((rounds, len(steps)))
        for round_ in range(rounds):
            for number, (_, parts) in enumerate(steps):
                start = time.perf_counter()
                for part in parts:
                    self._run(part, x)
                seconds[round_, number] = time.perf_counter() - start
        medians = np.median(seconds, axis=0).tolist()
        return [(step, median) for (step, _), median in zip(steps, medians, strict=True)]

    def _run(self, part: Table | Callable[[], None], x: np.ndarray) -> None:
        if not isinstance(part, Table):
            part()
            return
        part.set_input(x.ctypes.data)
        if self.program.threads == 1:  # its scratch is one thread's
            thread_pool().run_alone([[part.job]])
        else:
            thread_pool().run(*part.job)

    @property
    def table(self) -> Table | None:
        """The only table, if there is nothing between its rows."""
        (part,) = self.parts if len(self.parts) == 1 else (None,)
        return part if isinstance(part, Table) else None
