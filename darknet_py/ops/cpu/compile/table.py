"""Tables of rows, as the interpreter walks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.runtime.interpreter import ROW
from darknet_py.ops.cpu.runtime.thread_pool import thread_pool

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
        """What a team runs: address and number of the rows."""
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
