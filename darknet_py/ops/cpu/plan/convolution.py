"""A convolution with all that was folded and fused into it, and the choice of its algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.kernels.direct import direct, direct_one, direct_pooled
from darknet_py.ops.cpu.kernels.epilogue import SLOPES
from darknet_py.ops.cpu.kernels.few import can_be_few, few, offsets_for, panels_for, row_bytes
from darknet_py.ops.cpu.kernels.grouped import can_group, grouped
from darknet_py.ops.cpu.kernels.tile import PANEL
from darknet_py.ops.cpu.kernels.winograd import KERNELS, scratch_size
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.plan.cost import Choice, cheapest
from darknet_py.ops.cpu.plan.memory import FLOAT, Memory, Place, padded
from darknet_py.ops.cpu.plan.step import Binding, Rows, Step
from darknet_py.ops.cpu.plan.table import Row
from darknet_py.ops.cpu.plan.weights import (
    Packing,
    biases_row,
    folded,
    merge,
    pack_few,
    pack_groups,
    pack_shared,
)
from darknet_py.ops.normalize import EPSILON
from darknet_py.ops.record import Map

Norm = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scales, mean and variance."""
_ONE_PANEL = 8
"""Vectors in a panel of direct_one."""


@dataclass
class Convolution(Step):
    """y = activation(norm(x * weights) + biases [+ added]) [+ added_after], [the largest of 2x2].

    backward: x is the delta of a convolution's output and y that of its input; the weights are
    turned, and stride and padding those of this convolution, not of that. changing: the weights
    move between runs, and are packed in each.
    """

    x: Map
    y: Map
    weights: np.ndarray
    stride: int
    padding: int
    groups: int
    biases: np.ndarray | None = None
    norm: Norm | None = None
    activation: str = "linear"
    added: Map | None = None
    added_after: Map | None = None
    gate: tuple[Map, str] | None = None
    """An activation's output, of y's shape, and its name: y is multiplied by the slope there."""
    pooled: bool = False
    exact: bool = False
    backward: bool = False
    changing: bool = False
    source: Map | None = None
    """The map within x that somebody writes, where that is not x itself."""
    choice: Choice | None = None

    @property
    def reads(self) -> list[Map]:
        others = self.added, self.added_after, self.gate and self.gate[0]
        return [self.source or self.x, *(x for x in others if x is not None)]

    @property
    def writes(self) -> list[Map]:
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

    @property
    def shares_vectors(self) -> bool:
        """Whether a vector holds several of its groups."""
        return can_group(self.x.shape[3], self.filters, self.groups)

    @property
    def is_few(self) -> bool:
        """Whether its filters are so few, and with nothing fused, that few.py has the kernel."""
        fused = self.added, self.added_after, self.gate
        is_bare = not any(one is not None for one in fused) and self.activation == "linear"
        is_small = can_be_few(self.filters, *self.window, self.stride, self.groups)
        return is_small and is_bare and not self.pooled and not self.changing and self.out != (1, 1)

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
            self.exact or self.is_few,
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

    def scratch(self, threads: int) -> int:
        m, block = self.chosen.m, self.chosen.block
        if self.is_few:
            high, wide = self.window
            return threads * high * row_bytes(panels_for(self.filters, high * wide))
        if m:
            return threads * scratch_size(m, self.window[0], block, padded(self.x.shape[3]))
        return threads * 64 * block

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        before: list[Row] = []
        factors, biases = self._factors_and_biases(binding, before)
        common: dict[str, int] = {
            "x": x.address - self.padding * (x.row + x.pixel),
            "y": y.address,
            "added": binding.difference(self.added, y),
            "added_after": binding.difference(self.gate[0] if self.gate else self.added_after, y),
            "gate": binding.floats(SLOPES[self.gate[1]]) if self.gate else 0,
            "biases": biases,
            "slopes": binding.floats(SLOPES[self.activation]),
        }
        make = self._winograd if self.chosen.m else self._direct
        if self.shares_vectors:
            make = self._grouped
        elif self.is_few:
            make = self._few
        row = make(binding, x, y, factors, before, common)
        return [*before, row]

    def _factors_and_biases(
        self, binding: Binding, before: list[Row]
    ) -> tuple[np.ndarray | None, int]:
        if self.changing and self.norm is None and self.biases is not None:
            room = binding.room(padded(self.filters))
            before.append(biases_row(self.biases, room))
            return None, int(room.ctypes.data)
        factors, biases = folded(self.weights, self.biases, self.norm, EPSILON)
        if self.backward:  # nothing but the factors belongs to what comes back
            biases = np.zeros(padded(self.filters), np.float32)
        binding.kept.append(biases)
        return factors, int(biases.ctypes.data)

    def _packed(
        self, binding: Binding, packing: Packing, factors: np.ndarray | None, before: list[Row]
    ) -> int:
        """The address of packed weights, which the program has or a row before packs."""
        at = 0 if factors is None else int(factors.ctypes.data)
        if factors is not None:
            binding.kept.append(factors)
        if self.changing:
            room = binding.shared(FLOAT * packing.floats(self.weights))
            before.append(packing.row(self.weights, room, at))
            return room
        packed = binding.weights.get(
            self._sources, packing, lambda: binding.packed(packing, self.weights, at)
        )
        return int(packed.ctypes.data)

    @property
    def _sources(self) -> list[np.ndarray]:
        """What packed weights are made of: of a norm, scales and variance, which give factors."""
        return [self.weights, *(self.norm[::2] if self.norm else ())]

    def _winograd(
        self,
        binding: Binding,
        x: Place,
        y: Place,
        factors: np.ndarray | None,
        before: list[Row],
        common: dict[str, int],
    ) -> Row:
        m, block = self.chosen.m, self.chosen.block
        c = padded(self.x.shape[3])
        size = self.window[0]
        packing = Packing(m, c, backward=self.backward)
        return KERNELS[m, size].step(
            batch=self.x.shape[0],
            out_h=self.out[0],
            out_w=self.out[1],
            c=c,
            weights=self._packed(binding, packing, factors, before),
            vectors=padded(self.filters) // vector_length(),
            block=block,
            scratch=binding.scratch.ctypes.data,
            scratch_size=scratch_size(m, size, block, c),
            split_filters=int(self.chosen.split_filters),
            pooled=int(self.pooled),
            **x.pitches("x"),
            **y.pitches("y"),
            **common,
        )

    def _direct(
        self,
        binding: Binding,
        x: Place,
        y: Place,
        factors: np.ndarray | None,
        before: list[Row],
        common: dict[str, int],
    ) -> Row:
        is_one = (self.y.shape[0], *self.out) == (1, 1, 1) and self.groups == 1
        vectors = padded(self.filters) // vector_length()
        merged = merge(self.groups, self.filters)
        if self.groups > 1:
            length = self.x.shape[3] // self.groups * merged
            weights = binding.weights.get(
                self._sources,
                "groups",
                lambda: pack_groups(self.weights, factors, self.groups, merged),
            ).ctypes.data
        else:
            length = self.x.shape[3]
            if x.pixel == FLOAT * padded(length):
                length = padded(length)
            packing = Packing(0, length, _ONE_PANEL if is_one else PANEL, self.backward)
            weights = self._packed(binding, packing, factors, before)
        where = self._segments(binding, x, length)
        if is_one:
            return direct_one.step(
                list_=binding.scratch.ctypes.data,
                vectors=vectors,
                weights=weights,
                **where,
                **common,
            )
        kernel = direct_pooled if self.pooled else direct
        return kernel.step(
            batch=self.y.shape[0],
            out_h=self.y.shape[1],
            out_w=self.y.shape[2],
            weights=weights,
            groups=self.groups // merged,
            group_vectors=vectors // (self.groups // merged),
            x_group=FLOAT * self.x.shape[3] // self.groups * merged,
            block=self.chosen.block,
            lists=binding.scratch.ctypes.data,
            split_filters=int(self.chosen.split_filters),
            **x.pitches("x", self.stride),
            **y.pitches("y"),
            **where,
            **common,
        )

    def _grouped(
        self,
        binding: Binding,
        x: Place,
        y: Place,
        factors: np.ndarray | None,
        before: list[Row],
        common: dict[str, int],
    ) -> Row:
        weights = binding.weights.get(
            self._sources, "shared", lambda: pack_shared(self.weights, factors)
        )
        high, wide = self.window
        segments = [ky * x.row + kx * x.pixel for ky in range(high) for kx in range(wide)]
        return grouped.step(
            batch=self.y.shape[0],
            out_h=self.y.shape[1],
            out_w=self.y.shape[2],
            segments=binding.integers(segments),
            count=len(segments),
            part=self.weights.shape[3],
            weights=weights.ctypes.data,
            vectors=padded(self.filters) // vector_length(),
            block=self.chosen.block,
            lists=binding.scratch.ctypes.data,
            **x.pitches("x", self.stride),
            **y.pitches("y"),
            **common,
        )

    def _few(
        self,
        binding: Binding,
        x: Place,
        y: Place,
        factors: np.ndarray | None,
        before: list[Row],
        common: dict[str, int],
    ) -> Row:
        high, wide = self.window
        packed = binding.weights.get(
            self._sources,
            ("few", self.backward),
            lambda: pack_few(self.weights, factors, self.backward),
        )
        panels = panels_for(self.filters, high * wide)
        return few.step(
            batch=self.x.shape[0],
            out_h=self.out[0],
            out_w=self.out[1],
            high=high,
            wide=wide,
            c=padded(self.x.shape[3]),
            weights=packed.ctypes.data,
            panels=panels,
            offsets=binding.integers(offsets_for(high, wide, self.filters)),
            mask=binding.floats(np.arange(vector_length()) < self.filters),
            scratch=binding.scratch.ctypes.data,
            row_size=row_bytes(panels),
            **x.pitches("x"),
            **y.pitches("y"),
            **{key: common[key] for key in ("x", "y", "biases")},
        )

    def _segments(self, binding: Binding, x: Place, length: int) -> dict[str, int]:
        """Where the numbers of a window lie that follow one another."""
        high, wide = self.window
        if x.pixel == FLOAT * length:  # a row of the window lies in one piece
            segments, length = [ky * x.row for ky in range(high)], wide * length
        else:
            segments = [ky * x.row + kx * x.pixel for ky in range(high) for kx in range(wide)]
        return {"segments": binding.integers(segments), "count": len(segments), "length": length}
