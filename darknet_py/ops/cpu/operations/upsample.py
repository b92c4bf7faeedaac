"""Upsampling by repetition, and the sums of blocks, which undo it and are its delta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Loop,
    Places,
    Strided,
    Value,
    Variables,
    instruction,
    load,
    splat,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary


def upsample_reference(x: np.ndarray, stride: int, scale: float) -> np.ndarray:
    """Each pixel, times scale, as a block of stride x stride."""
    n, h, w, c = x.shape
    y = np.empty((n, h * stride, w * stride, c), x.dtype)
    for row, column in np.ndindex(y.shape[1:3]):
        y[:, row, column] = scale * x[:, row // stride, column // stride]
    return y


@instruction
def repeat(builder: Builder, x: Value, y: Value, pixel: Value, stride: Value, scale: Value) -> None:
    """A vector, times scale, to `stride` pixels side by side."""
    value = load(builder, x) * splat(builder, scale)
    with Loop(builder, stride) as j:
        store(value, builder.add(y, builder.mul(j, pixel)))


@kernel
def upsample(
    thread: int, threads: int, x: TensorView, y: TensorView, stride: int, scale: int
) -> None:
    """scale: the address of a float. Each thread does some rows of y."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        here, to = pixel_at(x, b, row // stride, 0), pixel_at(y, b, row, 0)
        for _ in range(x.w):
            for k in range(x.vectors):
                repeat(here + k * VECTOR, to + k * VECTOR, y.pixel, stride, scale)
            here += x.pixel
            to += stride * y.pixel


@dataclass
class Upsample(Unary):
    """Each pixel, times scale, as a block: see ops.upsample."""

    stride: int
    scale: float

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        return [upsample.step(x=x, y=y, stride=self.stride, scale=binding.floats([self.scale]))]


def block_sums_reference(x: np.ndarray, stride: int, scale: float) -> np.ndarray:
    """scale times the sum of each block of stride x stride pixels."""
    n, h, w, c = x.shape
    y = np.zeros((n, h // stride, w // stride, c), x.dtype)
    for row, column in np.ndindex(h, w):
        y[:, row // stride, column // stride] += x[:, row, column]
    return scale * y


@instruction
def sum_block(builder: Builder, x: Strided, stride: Value, scale: Value, y: Value) -> None:
    """A vector: scale times the sum of stride x stride pixels."""
    total = Variables(builder, [zero(builder)])
    with Places(builder, (stride, stride), [x]) as (place,):
        total.set([total.get()[0] + load(builder, place)])
    store(total.get()[0] * splat(builder, scale), y)


@kernel
def block_sums(
    thread: int, threads: int, x: TensorView, y: TensorView, stride: int, scale: int
) -> None:
    """scale: the address of a float."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        for column in range(y.w):
            here = pixel_at(x, b, row * stride, column * stride)
            to = pixel_at(y, b, row, column)
            for at in range(0, y.vectors * VECTOR, VECTOR):
                sum_block((here + at, x.row, x.pixel), stride, scale, to + at)


@dataclass
class BlockSums(Unary):
    """scale times the sum of each block of pixels: see ops.upsample_backward."""

    name = "block sums"
    stride: int
    scale: float

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        return [block_sums.step(x=x, y=y, stride=self.stride, scale=binding.floats([self.scale]))]


def match_upsample(chain: Chain) -> Step | None:
    x, stride, scale = chain.call.arguments
    return Upsample(x, chain.call.result, stride, scale)


def match_block_sums(chain: Chain) -> Step | None:
    x, stride, scale = chain.call.arguments
    return BlockSums(x, chain.call.result, stride, scale)


RULES: Rules = {"upsample": match_upsample, "upsample_backward": match_block_sums}
