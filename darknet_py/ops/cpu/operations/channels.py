"""Channels of maps side by side, and some of a map's channels: no copies, where whole vectors of
them lie in place.

What a concatenation reads is written where it has it, and a part of a map's channels lies within
that map: see share_concats and share_slices in compile/lower.py. Otherwise channels are copied, any
number of them to any place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    instruction,
    load,
    load_first,
    store,
    store_first,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import FLOAT
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.graph import TensorSpec

LENGTH = VECTOR // 4
"""Channels of a vector."""


def copy_channels_reference(x: np.ndarray, y: np.ndarray, c: int) -> None:
    """Writes the first c channels of y (n, h, w, ...)."""
    for pixel in np.ndindex(x.shape[:3]):
        for k in range(c):
            y[pixel][k] = x[pixel][k]


@instruction
def copy_vector(builder: Builder, to: Value, source: Value) -> None:
    store(load(builder, source), to)


@instruction
def copy_first(builder: Builder, to: Value, source: Value, count: Value) -> None:
    """The first `count` numbers of a vector; others are neither read nor written."""
    store_first(load_first(builder, source, count), to, count)


@kernel
def copy_channels(thread: int, threads: int, x: TensorView, y: TensorView, c: int) -> None:
    """The first c channels of every pixel of x to y. Either may begin at any channel of a map."""
    rows, whole = x.n * x.h, c // LENGTH
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // x.h
        row = number - b * x.h
        here, to = pixel_at(x, b, row, 0), pixel_at(y, b, row, 0)
        for _ in range(x.w):
            for k in range(whole):
                copy_vector(to + k * VECTOR, here + k * VECTOR)
            if whole * LENGTH < c:
                copy_first(to + whole * VECTOR, here + whole * VECTOR, c - whole * LENGTH)
            here += x.pixel
            to += y.pixel


@dataclass
class Concat(Step):
    """Maps side by side: those that do not lie there already are copied."""

    parts: list[TensorSpec]
    y: TensorSpec

    @property
    def reads(self) -> list[TensorSpec]:
        return self.parts

    def in_place(self) -> list[tuple[TensorSpec, int]]:
        """The parts that may lie in it as they are, and the channels where they begin: whole
        vectors, or the end, whose padding is its own."""
        found, channel = [], 0
        for number, part in enumerate(self.parts):
            is_last = number == len(self.parts) - 1
            if channel % vector_length() == 0 and (is_last or part.shape[3] % vector_length() == 0):
                found.append((part, channel))
            channel += part.shape[3]
        return found

    def rows(self, binding: Binding) -> Rows:
        y = binding.place(self.y)
        rows = []
        for part in self.parts:
            x = binding.place(part)
            if x.address != y.address:
                rows.append(copy_channels.step(x=x, y=y, c=x.c))
            y = y._replace(address=y.address + FLOAT * x.c)
        return rows


@dataclass
class SliceChannels(Unary):
    """Some channels of a map: see ops.slice_channels."""

    first: int

    @property
    def name(self) -> str:
        return "slice"

    @property
    def is_in_place(self) -> bool:
        """Whether it may lie in the map as it is: whole vectors, or the end, whose padding is its
        own."""
        last = self.first + self.y.shape[3]
        is_whole = last == self.x.shape[3] or last % vector_length() == 0
        return self.first % vector_length() == 0 and is_whole

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        x = x._replace(address=x.address + FLOAT * self.first)
        return [] if x.address == y.address else [copy_channels.step(x=x, y=y, c=y.c)]


@instruction
def clear_first(builder: Builder, address: Value, count: Value) -> None:
    """Zeros in place of the first `count` numbers of a vector."""
    store_first(zero(builder), address, count)


@kernel
def clear_channels(thread: int, threads: int, y: TensorView, first: int) -> None:
    """Zeros in the channels of y from the first on."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        to = pixel_at(y, b, number - b * y.h, 0)
        for _ in range(y.w):
            for k in range(first, y.c, LENGTH):
                clear_first(to + 4 * k, y.c - k)
            to += y.pixel


@dataclass
class PadChannels(Unary):
    """A map with further channels of zeros: see ops.pad_channels."""

    name = "pad"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        return [copy_channels.step(x=x, y=y, c=x.c), clear_channels.step(y=y, first=x.c)]


def match_concat(chain: Chain) -> Step | None:
    (parts,) = chain.call.arguments
    return Concat(list(parts), chain.call.result)


def match_slice(chain: Chain) -> Step | None:
    x, first, _ = chain.call.arguments
    return SliceChannels(x, chain.call.result, first)


def match_pad(chain: Chain) -> Step | None:
    return PadChannels(chain.call.arguments[0], chain.call.result)


def match_slice_backward(chain: Chain) -> Step | None:
    """Where what was left out is behind the rest."""
    delta, first, _ = chain.call.arguments
    return PadChannels(delta, chain.call.result) if first == 0 else None


RULES: Rules = {
    "concat": match_concat,
    "pad_channels": match_pad,
    "slice_channels": match_slice,
    "slice_channels_backward": match_slice_backward,
}
