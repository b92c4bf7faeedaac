"""What a program is made of: steps, each of which becomes one row or more of its table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from darknet_py.ops.cpu.codegen.kernel import TensorView
from darknet_py.ops.cpu.compile.allocate import FLOAT, Memory, aligned
from darknet_py.ops.cpu.runtime.interpreter import ROW
from darknet_py.ops.cpu.runtime.thread_pool import thread_pool
from darknet_py.ops.graph import Node, TensorSpec, replaced

Row = list[int]

_COLUMNS = ROW // 8


class FromInput(list[int]):
    """A row whose first argument is an offset from what the program is given."""


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
        """What a thread pool runs: address and number of the rows."""
        return int(self.rows.ctypes.data), len(self.rows)


def make_table(rows: Sequence[Row]) -> Table:
    table = np.zeros((len(rows), _COLUMNS), np.int64)
    inputs = []
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
        if isinstance(row, FromInput):
            inputs.append((number, row[1]))
    return Table(table, inputs)


def run_row(row: Row) -> None:
    """Runs a single row on all threads."""
    table = make_table([row])
    thread_pool().run(*table.job)


def in_parts(rows: Sequence[Row | Callable[[], None]]) -> list[Table | Callable[[], None]]:
    """Tables, and what is called between them."""
    parts: list[Table | Callable[[], None]] = []
    waiting: list[Row] = []

    def close() -> None:
        if waiting:
            parts.append(make_table(waiting))
            waiting.clear()

    for row in rows:
        if callable(row):
            close()
            parts.append(row)
        else:
            waiting.append(row)
    close()
    return parts


Rows = Sequence[Row | Callable[[], None]]
"""Rows of a table, and what is called between them."""


class Weights:
    """Packed arrays by what they were made of; `clear` when parameters have changed."""

    def __init__(self) -> None:
        self._packed: dict[Hashable, np.ndarray] = {}
        self._sources: list[Sequence[np.ndarray]] = []

    def clear(self) -> None:
        self._packed.clear()
        self._sources.clear()

    def get(
        self, sources: Sequence[np.ndarray], key: Hashable, make: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """The array for sources and a key, made if it is not there."""
        full_key = tuple((source.ctypes.data, source.shape) for source in sources), key
        if full_key not in self._packed:
            self._packed[full_key] = make()
            self._sources.append(sources)  # an address is unique as long as its owner lives
        return self._packed[full_key]


@dataclass
class Binding:
    """Everything that has an address when steps become rows: one arena, one thread pool."""

    memory: Memory
    arena: np.ndarray
    threads: int
    weights: Weights
    scratch: np.ndarray
    kept: list[np.ndarray] = field(default_factory=list)
    """Arrays whose addresses stand in rows."""
    _shared: np.ndarray | None = None

    def place(self, x: TensorSpec) -> TensorView:
        return self.memory.place(x, self.arena.ctypes.data)

    def difference(self, added: TensorSpec | None, y: TensorView) -> int:
        """Bytes from y to a map with the same pitches; 0 for none."""
        return 0 if added is None else self.place(added).address - y.address

    def view(self, x: TensorSpec) -> np.ndarray:
        return self.memory.view(x, self.arena)

    def room(self, floats: int) -> np.ndarray:
        """Memory that lives as long as the program."""
        room = aligned(floats)
        self.kept.append(room)
        return room

    def shared(self, size: int) -> int:
        """The address of so many bytes that a step needs until its last row, and no longer."""
        if self._shared is None or FLOAT * len(self._shared) < size:
            self._shared = self.room(-(-size // FLOAT))
        return int(self._shared.ctypes.data)

    def integers(self, values: Any) -> int:
        """The address of 64-bit integers."""
        return self._keep(np.array(values, np.int64))

    def floats(self, values: Any) -> int:
        """The address of floats."""
        return self._keep(np.array(values, np.float32))

    def _keep(self, array: np.ndarray) -> int:
        self.kept.append(array)
        return int(array.ctypes.data)


class Step(ABC):
    """Reads maps and writes maps: those of its fields that READS and WRITES name, as a rule."""

    READS: ClassVar[tuple[str, ...]] = ("x",)
    WRITES: ClassVar[tuple[str, ...]] = ("y",)

    @property
    def reads(self) -> list[TensorSpec]:
        """The maps that must be there when it runs."""
        return [getattr(self, field) for field in self.READS]

    @property
    def writes(self) -> list[TensorSpec]:
        """The maps that are there afterwards."""
        return [getattr(self, field) for field in self.WRITES]

    @property
    def residuals(self) -> list[TensorSpec]:
        """Of the maps it reads, those that must have the layout of the map that it writes."""
        return []

    def prepare(self, memory: Memory, threads: int) -> None:
        """Says what it needs of its maps, before they are allocated."""
        return

    def scratch(self, threads: int) -> int:
        """Bytes that all threads together need while it runs."""
        return 0

    @abstractmethod
    def rows(self, binding: Binding) -> Rows:
        """Rows of a table, and what must be called between them."""

    @property
    def name(self) -> str:
        """As `darknet plan` shows it."""
        return type(self).__name__.lower()

    @property
    def algorithm(self) -> str:
        """Which of several it is computed by."""
        return ""

    def operations(self) -> int:
        """Multiplications and additions, as if there were no algorithm that needs fewer."""
        return 0


@dataclass
class Unary(Step):
    """One map in, one out."""

    x: TensorSpec
    y: TensorSpec


class Fallback(Step):
    """A call that has no kernel here: computed by ops on arrays, between rows."""

    algorithm = "plain"

    def __init__(self, call: Node) -> None:
        self.call = call

    @property
    def reads(self) -> list[TensorSpec]:
        return self.call.maps()

    @property
    def writes(self) -> list[TensorSpec]:
        return self.call.results

    @property
    def name(self) -> str:
        return self.call.name

    def rows(self, binding: Binding) -> Rows:
        outputs = [binding.view(x) for x in self.writes]
        function = self.call.function
        assert function is not None
        arguments = replaced(self.call.arguments, binding.view)

        def run() -> None:
            given = function(*(_contiguous(argument) for argument in arguments))
            if not outputs:  # the call was for its effect
                return
            given = given if isinstance(given, tuple | list) else [given]
            for output, value in zip(outputs, given, strict=True):
                output[...] = value

        return [run]


def _contiguous(value: Any) -> Any:
    # a view over the arena, as ops want it; parameters are contiguous and stay themselves
    if isinstance(value, np.ndarray):
        return value if value.flags.c_contiguous else value.copy()
    if isinstance(value, tuple | list):
        return type(value)(_contiguous(one) for one in value)
    return value


def address(array: np.ndarray | None) -> int:
    """Of an array's first number; 0 for none."""
    return 0 if array is None else int(array.ctypes.data)
