"""A program: a recording made into tables of steps that a team of threads walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.native.interpreter import ROW
from darknet_py.ops.cpu.native.team import team
from darknet_py.ops.cpu.plan.convolution import Convolution
from darknet_py.ops.cpu.plan.lower import lower, share_concats
from darknet_py.ops.cpu.plan.memory import FLOAT, Memory, aligned
from darknet_py.ops.cpu.plan.step import Binding, FromInput, Row, Step
from darknet_py.ops.cpu.plan.weights import Weights
from darknet_py.ops.record import Map, Recording

COLUMNS = ROW // 8


@dataclass
class Table:
    """Rows that run without a stop, and those of them that read what the program is given."""

    rows: np.ndarray
    inputs: list[tuple[int, int]]
    """Rows, and their offsets from the input."""

    def set_input(self, address: int) -> None:
        for row, offset in self.inputs:
            self.rows[row, 1] = address + offset

    @property
    def job(self) -> tuple[int, int]:
        return int(self.rows.ctypes.data), len(self.rows)


class Program:
    """Runs a recording of one picture size and batch."""

    def __init__(self, recording: Recording, weights: Weights, threads: int, exact: bool) -> None:
        self.recording = recording
        self.threads = threads
        self.weights = weights
        self.steps = lower(recording, exact)
        self.memory = Memory()
        self.memory.inside = share_concats(self.steps, recording.outputs)
        for step in self.steps:
            if isinstance(step, Convolution):
                step.choose(threads)
        for step in self.steps:
            step.prepare(self.memory, threads)
        self.memory.lay_out(_lives(self.steps), recording.outputs)
        self.scratch = max((step.scratch(threads) for step in self.steps), default=0)

    def bind(self) -> Bound:
        """The program with memory of its own."""
        return Bound(self)


class Bound:
    """A program that has an arena. One thread at a time may run it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        arena = aligned(program.memory.floats)
        scratch = aligned(program.scratch // FLOAT + 16)
        self.binding = Binding(program.memory, arena, program.threads, program.weights, scratch)
        self.parts = _parts([row for step in program.steps for row in step.rows(self.binding)])

    def run(self, x: np.ndarray) -> None:
        """Computes from x (n, c, h, w) float32, contiguous; see `outputs` for what comes of it."""
        for part in self.parts:
            if isinstance(part, Table):
                part.set_input(x.ctypes.data)
                team().run(*part.job)
            else:
                part()

    @property
    def table(self) -> Table | None:
        """The only table, if there is nothing between its rows."""
        (part,) = self.parts if len(self.parts) == 1 else (None,)
        return part if isinstance(part, Table) else None

    @property
    def outputs(self) -> list[np.ndarray]:
        """The recording's outputs (n, h, w, c): views that the next run changes."""
        return [self.binding.view(y) for y in self.program.recording.outputs]


def _lives(steps: Sequence[Step]) -> dict[Map, tuple[int, int]]:
    lives: dict[Map, tuple[int, int]] = {}
    for number, step in enumerate(steps):
        for x in (*step.reads, *step.writes):
            first, _ = lives.get(x, (number, number))
            lives[x] = first, number
    return lives


def _parts(rows: Sequence[Row | Callable[[], None]]) -> list[Table | Callable[[], None]]:
    parts: list[Table | Callable[[], None]] = []
    waiting: list[Row] = []

    def close() -> None:
        if waiting:
            parts.append(_table(waiting))
            waiting.clear()

    for row in rows:
        if callable(row):
            close()
            parts.append(row)
        else:
            waiting.append(row)
    close()
    return parts


def _table(rows: Sequence[Row]) -> Table:
    table = np.zeros((len(rows), COLUMNS), np.int64)
    inputs = []
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
        if isinstance(row, FromInput):
            inputs.append((number, row[1]))
    return Table(table, inputs)
