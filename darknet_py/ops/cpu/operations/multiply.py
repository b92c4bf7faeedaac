"""Products of two maps, element by element: [sam], [scale_channels], the gates of recurrent layers.

The second may have one pixel, or one channel, which then stands for all.
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
    splat,
    store,
    store_first,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_activation
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import Epilogue, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_activation
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.graph import TensorSpec

LENGTH = VECTOR // 4
"""Channels of a vector."""


def multiply_reference(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """x (n, h, w, c); other has the same shape, or 1 in place of h and w, or of c."""
    y = np.empty_like(x)
    _, h, w, c = other.shape
    for b, row, column, k in np.ndindex(x.shape):
        factor = other[b, min(row, h - 1), min(column, w - 1), min(k, c - 1)]
        y[b, row, column, k] = x[b, row, column, k] * factor
    return y


def emit_product(builder: Builder, at: Site) -> None:
    product = load(builder, at.x) * load(builder, at.other)
    store(emit_activation(builder, at.epilogue.slopes, [product])[0], at.y)


multiply = make_elementwise("multiply", emit_product)


@instruction
def scale_vector(builder: Builder, y: Value, x: Value, factor: Value, slopes: Value) -> None:
    """factor: the address of a float."""
    product = load(builder, x) * splat(builder, factor)
    store(emit_activation(builder, slopes, [product])[0], y)


@instruction
def scale_first(
    builder: Builder, y: Value, x: Value, factor: Value, slopes: Value, count: Value
) -> None:
    """The same for the first `count` numbers: the zeros behind them times infinity are none."""
    product = load_first(builder, x, count) * splat(builder, factor)
    store_first(emit_activation(builder, slopes, [product])[0], y, count)


@kernel
def multiply_pixels(
    thread: int, threads: int, x: TensorView, other: TensorView, y: TensorView, slopes: int
) -> None:
    """Each pixel of x times the only channel of other's."""
    rows, whole = x.n * x.h, x.c // LENGTH
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // x.h
        row = number - b * x.h
        here, to = pixel_at(x, b, row, 0), pixel_at(y, b, row, 0)
        factor = pixel_at(other, b, row, 0)
        for _ in range(x.w):
            for k in range(whole):
                scale_vector(to + k * VECTOR, here + k * VECTOR, factor, slopes)
            if whole * LENGTH < x.c:
                at = whole * VECTOR
                scale_first(to + at, here + at, factor, slopes, x.c - whole * LENGTH)
            here += x.pixel
            to += y.pixel
            factor += other.pixel


@dataclass
class Multiply(Step):
    """activation(x * other): see ops.multiply."""

    READS = "x", "other"
    x: TensorSpec
    other: TensorSpec
    y: TensorSpec
    activation: str = "linear"

    def rows(self, binding: Binding) -> Rows:
        x, other, y = (binding.place(each) for each in (self.x, self.other, self.y))
        slopes = binding.floats(SLOPES[self.activation])
        if (other.h, other.w) == (1, 1):
            # the same pixel again and again
            other = other._replace(row=0, pixel=0)
        if other.c < x.c:
            return [multiply_pixels.step(x=x, other=other, y=y, slopes=slopes)]
        return [elementwise_row(multiply, x, y, other, epilogue=Epilogue(slopes=slopes))]


def match_multiply(chain: Chain) -> Step | None:
    x, other = chain.call.arguments
    if not isinstance(x, TensorSpec) or not isinstance(other, TensorSpec):
        return None
    if len(x.shape) != 4 or len(other.shape) != 4 or x.shape[0] != other.shape[0]:
        return None
    pixels, channels = x.shape[1:3], x.shape[3]
    if other.shape[1:3] not in (pixels, (1, 1)) or other.shape[3] not in (channels, 1):
        return None
    step = Multiply(x, other, chain.call.result, take_activation(chain))
    step.y = chain.result
    return step


RULES: Rules = {"multiply": match_multiply}
