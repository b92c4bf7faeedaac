"""A convolution with all that was folded and fused into it, and the choice of its algorithm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from darknet_py.ops.cpu.kernels.direct import direct, direct_one, direct_pooled
from darknet_py.ops.cpu.kernels.epilogue import SLOPES
from darknet_py.ops.cpu.kernels.tile import PANEL
from darknet_py.ops.cpu.kernels.winograd import scratch_size, winograd2, winograd4
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.plan.cost import Choice, cheapest
from darknet_py.ops.cpu.plan.memory import FLOAT, Memory, padded
from darknet_py.ops.cpu.plan.step import Binding, Row, Step
from darknet_py.ops.cpu.plan.weights import folded, pack_direct, pack_winograd, pad_biases
from darknet_py.ops.normalize import EPSILON
from darknet_py.ops.record import Map

Norm = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Scales, mean and variance."""


@dataclass
class Convolution(Step):
    """y = activation(norm(x * weights) + biases [+ added]) [+ added_after], [the largest of 2x2]."""

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
    pooled: bool = False
    exact: bool = False
    choice: Choice | None = None

    @property
    def reads(self) -> list[Map]:  # type: ignore[override]
        return [self.x, *(x for x in (self.added, self.added_after) if x is not None)]

    @property
    def writes(self) -> list[Map]:  # type: ignore[override]
        return [self.y]

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def out(self) -> tuple[int, int]:
        """Height and width, before pooling."""
        _, h, w, _ = self.y.shape
        return (2 * h, 2 * w) if self.pooled else (h, w)

    @property
    def name(self) -> str:
        filters = self.weights.shape[0]
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        extras = [
            "" if self.activation == "linear" else self.activation,
            "add" if self.added is not None or self.added_after is not None else "",
            "maxpool" if self.pooled else "",
        ]
        fused = "".join(f" + {extra}" for extra in extras if extra)
        high, wide = self.window
        return f"{wide}x{high}/{self.stride} {filters}{groups}{fused}"

    @property
    def _norm_key(self) -> int | None:
        return None if self.norm is None else id(self.norm[0])

    def operations(self) -> int:
        return 2 * int(self.weights.size) * self.x.shape[0] * self.out[0] * self.out[1]

    def prepare(self, memory: Memory, threads: int) -> None:
        assert self.choice is not None
        need = memory.need(self.x)
        need.border = max(need.border, self.padding)
        if self.choice.m:
            need.below = max(need.below, -self.out[0] % self.choice.m)

    def choose(self, threads: int) -> None:
        """Picks the algorithm, once all is fused that will be."""
        n, _, _, c = self.x.shape
        self.choice = cheapest(
            n,
            *self.out,
            c,
            self.weights.shape[0],
            self.window,
            self.stride,
            self.groups,
            threads,
            self.exact,
        )

    def scratch(self, threads: int) -> int:
        assert self.choice is not None
        if self.choice.m:
            return threads * scratch_size(self.choice.m, self.choice.block, padded(self.x.shape[3]))
        return threads * 64 * self.choice.block

    def rows(self, binding: Binding) -> list[Row | Callable[[], None]]:
        assert self.choice is not None
        x, y = binding.place(self.x), binding.place(self.y)
        factor, biases = _folded(self)
        common: dict[str, int] = {
            "y": y.address,
            "added": _difference(binding, self.added, self.y),
            "added_after": _difference(binding, self.added_after, self.y),
            "biases": binding.weights.get(
                self.weights,
                ("biases", id(self.biases), self._norm_key),
                lambda: pad_biases(biases),
            ).ctypes.data,
            "slopes": binding.floats(SLOPES[self.activation]),
        }
        if self.choice.m:
            return [self._winograd(binding, x, y, factor, common)]
        return [self._direct(binding, x, y, factor, common)]

    def _winograd(
        self, binding: Binding, x: Any, y: Any, factor: Any, common: dict[str, int]
    ) -> Row:
        assert self.choice is not None
        m, block = self.choice.m, self.choice.block
        c = padded(self.x.shape[3])
        kernel = winograd4 if m == 4 else winograd2
        packed = binding.weights.get(
            self.weights,
            ("winograd", m, c, self._norm_key),
            lambda: pack_winograd(_scaled(self.weights, factor), m, c),
        )
        return kernel.step(
            x=x.address - self.padding * (x.row + x.pixel),
            batch=self.x.shape[0],
            out_h=self.out[0],
            out_w=self.out[1],
            c=c,
            weights=packed.ctypes.data,
            vectors=padded(self.weights.shape[0]) // vector_length(),
            block=block,
            scratch=binding.scratch.ctypes.data,
            scratch_size=scratch_size(m, block, c),
            split_filters=int(self.choice.split_filters),
            pooled=int(self.pooled),
            **x.pitches("x"),
            **y.pitches("y"),
            **common,
        )

    def _direct(self, binding: Binding, x: Any, y: Any, factor: Any, common: dict[str, int]) -> Row:
        assert self.choice is not None
        part = self.x.shape[3] // self.groups
        is_one = (self.y.shape[0], *self.out) == (1, 1, 1) and self.groups == 1
        merged = merge(self.groups, self.weights.shape[0])
        panel = 8 if is_one else PANEL
        packed = binding.weights.get(
            self.weights,
            ("direct", panel, self._norm_key),
            lambda: pack_direct(
                merge_groups(_scaled(self.weights, factor), self.groups, merged),
                self.groups // merged,
                panel,
            ),
        )
        length = part * merged
        high, wide = self.window
        if x.pixel == FLOAT * length:  # a row of the window lies in one piece
            segments, length = [ky * x.row for ky in range(high)], wide * length
        else:
            segments = [ky * x.row + kx * x.pixel for ky in range(high) for kx in range(wide)]
        where = {
            "x": x.address - self.padding * (x.row + x.pixel),
            "segments": binding.integers(segments),
            "count": len(segments),
            "length": length,
            "weights": packed.ctypes.data,
        }
        vectors = padded(self.weights.shape[0]) // vector_length()
        if is_one:
            return direct_one.step(
                list_=binding.scratch.ctypes.data, vectors=vectors, **where, **common
            )
        kernel = direct_pooled if self.pooled else direct
        return kernel.step(
            batch=self.y.shape[0],
            out_h=self.y.shape[1],
            out_w=self.y.shape[2],
            groups=self.groups // merged,
            group_vectors=vectors // (self.groups // merged),
            x_group=FLOAT * part * merged,
            block=self.choice.block,
            lists=binding.scratch.ctypes.data,
            split_filters=int(self.choice.split_filters),
            **x.pitches("x", self.stride),
            **y.pitches("y"),
            **where,
            **common,
        )


def _folded(step: Convolution) -> tuple[np.ndarray | None, np.ndarray]:
    return folded(step.weights, step.biases, step.norm, EPSILON)


def _scaled(weights: np.ndarray, factor: np.ndarray | None) -> np.ndarray:
    if factor is None:
        return weights
    return weights * factor.astype(np.float32).reshape(-1, *[1] * (weights.ndim - 1))


def _difference(binding: Binding, added: Map | None, y: Map) -> int:
    """Bytes from y to a map with the same pitches; 0 for none."""
    return 0 if added is None else binding.place(added).address - binding.place(y).address


def merge(groups: int, filters: int) -> int:
    """Groups that are computed as one, so that their filters fill whole vectors; 0 for cannot."""
    each = filters // groups
    for together in range(1, groups + 1):
        if groups % together == 0 and together * each % vector_length() == 0:
            return together
    return 1 if groups == 1 else 0


def merge_groups(weights: np.ndarray, groups: int, merged: int) -> np.ndarray:
    """Weights of `merged` groups as those of one, zeros where a filter does not see a channel."""
    if merged == 1:
        return weights
    filters, size, _, part = weights.shape
    each = filters // groups
    out = np.zeros((filters, size, size, merged * part), weights.dtype)
    for f in range(filters):
        at = f // each % merged * part
        out[f, :, :, at : at + part] = weights[f]
    return out
