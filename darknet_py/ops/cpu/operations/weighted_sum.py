"""Sums of several maps, each times a factor, perhaps one for each channel: AlexeyAB's [shortcut]
with weights_type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    Vector,
    instruction,
    load,
    load_first,
    store,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_activation
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_activation
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, address
from darknet_py.ops.fusion import is_constant
from darknet_py.ops.graph import TensorSpec

LENGTH = VECTOR // 4
"""Channels of a vector."""


def weighted_sum_reference(maps: list[np.ndarray], factors: np.ndarray) -> np.ndarray:
    """The sum of factors[i] (c,) times maps[i], in the channels of the first map."""
    y = np.zeros_like(maps[0])
    for x, factor in zip(maps, factors, strict=True):
        for k in range(min(x.shape[3], y.shape[3])):
            y[..., k] += factor[k] * x[..., k]
    return y


def _store_sum(
    y: Value, x: Vector, other: Vector, factors: Value, apart: Value, slopes: Value
) -> None:
    builder = x.builder
    total = x * load(builder, factors) + other * load(builder, builder.add(factors, apart))
    store(emit_activation(builder, slopes, [total])[0], y)


@instruction
def add_scaled(
    builder: Builder, y: Value, x: Value, other: Value, factors: Value, apart: Value, slopes: Value
) -> None:
    """A vector of x times its factors, plus one of other times those `apart` bytes further on."""
    values = load(builder, x), load(builder, other)
    _store_sum(y, *values, factors, apart, slopes)


@instruction
def add_first_scaled(
    builder: Builder,
    y: Value,
    x: Value,
    other: Value,
    factors: Value,
    apart: Value,
    slopes: Value,
    count: Value,
) -> None:
    """The same with the first `count` numbers of other alone, perhaps none."""
    values = load(builder, x), load_first(builder, other, count)
    _store_sum(y, *values, factors, apart, slopes)


@kernel
def weighted_sum(
    thread: int,
    threads: int,
    x: TensorView,
    other: TensorView,
    y: TensorView,
    shared: int,
    factors: int,
    slopes: int,
) -> None:
    """y = activation(f x + g other), other in its first `shared` channels alone. factors: the
    address of f and then g, each a float for every channel, padded with zeros."""
    rows, whole, apart = x.n * x.h, shared // LENGTH, x.vectors * VECTOR
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // x.h
        row = number - b * x.h
        here, there = pixel_at(x, b, row, 0), pixel_at(other, b, row, 0)
        to = pixel_at(y, b, row, 0)
        for _ in range(x.w):
            for k in range(whole):
                at = k * VECTOR
                add_scaled(to + at, here + at, there + at, factors + at, apart, slopes)
            for k in range(whole, x.vectors):
                at, left = k * VECTOR, shared - k * LENGTH
                add_first_scaled(to + at, here + at, there + at, factors + at, apart, slopes, left)
            here += x.pixel
            there += other.pixel
            to += y.pixel


@dataclass
class WeightedSum(Step):
    """activation(the sum of factors[i] maps[i]): see ops.weighted_sum. The first two maps are added
    at once, every other one by a row of its own."""

    maps: list[TensorSpec]
    y: TensorSpec
    factors: np.ndarray
    activation: str = "linear"

    @property
    def name(self) -> str:
        return "weighted sum"

    @property
    def reads(self) -> list[TensorSpec]:
        return self.maps

    def rows(self, binding: Binding) -> Rows:
        y = binding.place(self.y)
        x, rows = binding.place(self.maps[0]), []
        factor = self._padded(self.factors[0])
        for number, each in enumerate(self.maps[1:], 1):
            other = binding.place(each)
            pair = binding.room(2 * len(factor))
            pair[: len(factor)], pair[len(factor) :] = factor, self._padded(self.factors[number])
            is_last = number == len(self.maps) - 1
            slopes = binding.floats(SLOPES[self.activation if is_last else "linear"])
            shared = min(y.c, other.c)
            given = {"shared": shared, "factors": address(pair), "slopes": slopes}
            rows.append(weighted_sum.step(x=x, other=other, y=y, **given))
            x, factor = y, self._padded(np.float32(1))
        return rows

    def _padded(self, factor: np.ndarray | np.float32) -> np.ndarray:
        c = self.y.shape[3]
        values = np.zeros(padded(c), np.float32)
        values[:c] = factor
        return values


def match_weighted_sum(chain: Chain) -> Step | None:
    maps, factors = chain.call.arguments
    if not is_constant(factors) or chain.lowering.changing:
        return None
    step = WeightedSum(list(maps), chain.call.result, factors, take_activation(chain))
    step.y = chain.result
    return step


RULES: Rules = {"weighted_sum": match_weighted_sum}
