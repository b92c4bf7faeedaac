"""Values moved to other places of a map, by a table: [reorg] and its kin, vectors of maps.

Which value goes where is what the op itself does to numbers that count the places, so that there is
no second copy of its rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.emit import F32, Builder, Value, instruction, load_i64, pointer
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.compile.allocate import FLOAT
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.graph import Node


def gather_reference(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """x (n, h, w, c); places: of each number of a picture of y the one of x's picture, counted in
    the order (h, w, c)."""
    y = np.empty((len(x), *places.shape), x.dtype)
    for b in range(len(x)):
        numbers = x[b].ravel()
        for at in np.ndindex(places.shape):
            y[b][at] = numbers[places[at]]
    return y


@instruction
def copy_float(builder: Builder, to: Value, source: Value) -> None:
    number = builder.load(pointer(builder, source, F32), align=4)
    builder.store(number, pointer(builder, to, F32), align=4)


@kernel
def gather(thread: int, threads: int, x: TensorView, y: TensorView, table: int) -> None:
    """table: the address of 64-bit integers, of each number of a picture of y, in its order, the
    bytes from a picture of x to the number that it gets."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        picture, entry = pixel_at(x, b, 0, 0), table + 8 * row * y.w * y.c
        for column in range(y.w):
            to = pixel_at(y, b, row, column)
            for k in range(y.c):
                copy_float(to + 4 * k, picture + load_i64(entry))
                entry += 8


@dataclass
class Gather(Unary):
    """A map to another that has the same numbers at other places."""

    call: Node

    @property
    def name(self) -> str:
        return self.call.name

    def places(self) -> np.ndarray:
        """Of each number of a picture of y where it is in x, counted in the order (h, w, c)."""
        _, h, w, c = self.x.shape
        function: Any = self.call.function
        counted = function(np.arange(h * w * c).reshape(1, h, w, c), *self.call.arguments[1:])
        return np.asarray(counted[0])

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row, pixel = np.divmod(self.places(), x.w * x.c)
        column, channel = np.divmod(pixel, x.c)
        table = binding.integers(row * x.row + column * x.pixel + channel * FLOAT)
        return [gather.step(x=x, y=y, table=table)]


def match_gather(chain: Chain) -> Step | None:
    return Gather(chain.call.arguments[0], chain.call.result, chain.call)


RULES: Rules = dict.fromkeys(
    (
        *("depth_to_space", "flatten_chw", "reorg", "reorg_backward", "reorg_flatten"),
        *("reorg_flatten_backward", "reorg_reverse", "reorg_reverse_backward", "space_to_depth"),
    ),
    match_gather,
)
