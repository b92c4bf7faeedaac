"""A convolution with all that was folded and fused into it, and the choice of its algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from darknet_py.ops.cpu.compile.allocate import FLOAT, Memory, padded
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution import direct, winograd
from darknet_py.ops.cpu.operations.convolution import narrow_output as few
from darknet_py.ops.cpu.operations.convolution import one_pixel as single
from darknet_py.ops.cpu.operations.convolution import small_groups as grouped
from darknet_py.ops.cpu.operations.convolution.cost import Choice, cheapest
from darknet_py.ops.cpu.operations.convolution.operands import Operands
from darknet_py.ops.cpu.operations.convolution.packing import Packing
from darknet_py.ops.graph import TensorSpec

Norm = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scales, mean and variance."""


class Way(Protocol):
    """What the file of an algorithm has."""

    def scratch(self, step: Convolution) -> int:
        """Bytes a thread."""

    def row(self, step: Convolution, operands: Operands) -> Row:
        """The row that computes the step."""


@dataclass
class Convolution(Step):
    """y = activation(norm(x * weights) + biases [+ added]) [+ added_after], [the largest of 2x2].

    backward: x is the delta of a convolution's output and y that of its input; the weights are
    turned, and stride and padding those of this convolution, not of that. changing: the weights
    move between runs, and are packed in each.
    """

    x: TensorSpec
    y: TensorSpec
    weights: np.ndarray
    stride: int
    padding: int
    groups: int
    biases: np.ndarray | None = None
    norm: Norm | None = None
    activation: str = "linear"
    added: TensorSpec | None = None
    added_after: TensorSpec | None = None
    gate: tuple[TensorSpec, str] | None = None
    """An activation's output, of y's shape, and its name: y is multiplied by the slope there."""
    pooled: bool = False
    exact: bool = False
    backward: bool = False
    changing: bool = False
    source: TensorSpec | None = None
    """The map within x that somebody writes, where that is not x itself."""
    choice: Choice | None = None

    @property
    def reads(self) -> list[TensorSpec]:
        others = self.added, self.added_after, self.gate and self.gate[0]
        return [self.source or self.x, *(x for x in others if x is not None)]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.y]

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def filters(self) -> int:
        return int(self.weights.shape[3 if self.backward else 0])

    @property
    def out(self) -> tuple[int, int]:
        """Height and width, before pooling."""
        _, h, w, _ = self.y.shape
        return (2 * h, 2 * w) if self.pooled else (h, w)

    @property
    def name(self) -> str:
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        extras = [
            "" if self.activation == "linear" else self.activation,
            "add" if self.added is not None or self.added_after is not None else "",
            "maxpool" if self.pooled else "",
            f"delta {self.gate[1]}" if self.gate else "",
        ]
        fused = "".join(f" + {extra}" for extra in extras if extra)
        high, wide = self.window
        kind = "delta " if self.backward else ""
        return f"{kind}{wide}x{high}/{self.stride} {self.filters}{groups}{fused}"

    @property
    def algorithm(self) -> str:
        return self.choice.algorithm if self.choice else ""

    def operations(self) -> int:
        return 2 * int(self.weights.size) * self.x.shape[0] * self.out[0] * self.out[1]

    def choose(self, threads: int) -> None:
        """Picks the algorithm, once all is fused that will be."""
        n, _, _, c = self.x.shape
        self.choice = cheapest(
            (n, *self.out),
            c,
            self.filters,
            self.window,
            self.stride,
            self.groups,
            threads,
            self.exact or few.fits(self),
        )

    @property
    def chosen(self) -> Choice:
        assert self.choice is not None
        return self.choice

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.twins += [(x, self.y) for x in self.reads[1:]]
        need = memory.need(self.x)
        _, h, w, _ = self.x.shape
        high, wide = self.window
        # where a stride leaves pixels over, windows at the right and below reach further
        beyond = max(
            (self.out[0] - 1) * self.stride + high - h, (self.out[1] - 1) * self.stride + wide - w
        )
        need.border = max(need.border, self.padding, beyond - self.padding)
        if self.chosen.m:
            need.below = max(need.below, -self.out[0] % self.chosen.m)
            need.tail |= self.out[1] % self.chosen.m > 0

    @property
    def way(self) -> Way:
        """The algorithm's file."""
        if self.chosen.m:
            return winograd
        return next((way for way in (grouped, few, single) if way.fits(self)), direct)

    def scratch(self, threads: int) -> int:
        return threads * self.way.scratch(self)

    def packed_size(self) -> int:
        """Bytes of its weights as its kernel wants them, about."""
        packing = Packing(self.chosen.m, padded(self.x.shape[3]), backward=self.backward)
        return FLOAT * packing.floats(self.weights)

    def rows(self, binding: Binding) -> Rows:
        operands = Operands(self, binding)
        row = self.way.row(self, operands)
        return [*operands.before, row]
