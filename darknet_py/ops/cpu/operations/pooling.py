"""Pooling: the largest of each window, the mean of each channel; and their deltas.

Nothing outside the map ever wins. A delta goes to the first of the largest values of its window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Loop,
    Pair,
    Places,
    Strided,
    Value,
    Variables,
    Vector,
    constant,
    instruction,
    load,
    spread,
    store,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_slope, share_of_largest, square
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import Epilogue, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_mask
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.graph import TensorSpec


def maxpool_reference(x: np.ndarray, y: np.ndarray, size: int, stride: int, front: int) -> None:
    """Writes y (n, h, w, c); the first window begins `front` pixels before the map."""
    for row, column in np.ndindex(y.shape[1:3]):
        top, left = row * stride - front, column * stride - front
        window = x[:, max(top, 0) : top + size, max(left, 0) : left + size]
        y[:, row, column] = window.max(axis=(1, 2), initial=-np.inf)


@instruction
def largest(builder: Builder, x: Strided, counts: Pair, y: Value) -> None:
    """The largest vector of rows x columns pixels."""
    best = Variables(builder, [load(builder, x[0])])
    with Places(builder, counts, [x]) as (place,):
        # in this order a NaN of the map stays
        best.set([best.get()[0].max(load(builder, place))])
    store(best.get()[0], y)


@kernel
def maxpool(
    thread: int, threads: int, x: TensorView, y: TensorView, size: int, stride: int, front: int
) -> None:
    """The largest of each window; the first window begins `front` pixels before the map."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        top = max(row * stride - front, 0)
        high = min(row * stride - front + size, x.h) - top
        for column in range(y.w):
            left = max(column * stride - front, 0)
            wide = min(column * stride - front + size, x.w) - left
            source, to = pixel_at(x, b, top, left), pixel_at(y, b, row, column)
            for k in range(y.vectors):
                at = k * VECTOR
                largest((source + at, x.row, x.pixel), (high, wide), to + at)


@dataclass
class Maxpool(Unary):
    """The largest of each window: see ops.maxpool."""

    size: int
    stride: int
    padding: int

    @property
    def name(self) -> str:
        return f"maxpool {self.size}x{self.size}/{self.stride}"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        front = self.padding // 2
        return [maxpool.step(x=x, y=y, size=self.size, stride=self.stride, front=front)]


def maxpool_backward_reference(
    delta: np.ndarray, x: np.ndarray, out: np.ndarray, size: int, stride: int, front: int
) -> None:
    """Writes out, the delta of x, of its shape."""
    out[...] = 0
    for b, row, column, k in np.ndindex(delta.shape):
        top, left = row * stride - front, column * stride - front
        window = slice(max(top, 0), top + size), slice(max(left, 0), left + size)
        there, to = x[b][window][..., k], out[b][window][..., k]
        if there.size:
            to[np.unravel_index(np.argmax(there), there.shape)] += delta[b, row, column, k]


@instruction
def put_zeros(builder: Builder, address: Value) -> None:
    store(zero(builder), address)


@instruction
def add_to_largest(
    builder: Builder, x: Strided, out: Strided, rows: Value, columns: Value, delta: Value
) -> None:
    """Adds a vector of deltas to out where x is largest in rows x columns pixels, first of all."""
    (x_at, x_row, x_pixel), (out_at, out_row, out_pixel) = x, out
    best = Variables(builder, [Vector(builder, constant(-math.inf, vector_length()))])
    place = Variables(builder, [Vector(builder, constant(-1, vector_length()))])
    with Loop(builder, rows) as i:
        line = builder.add(x_at, builder.mul(i, x_row))
        with Loop(builder, columns) as j:
            value = load(builder, builder.add(line, builder.mul(j, x_pixel)))
            is_larger = value > best.get()[0]
            best.set([where(is_larger, value, best.get()[0])])
            place.set([where(is_larger, _number(builder, i, j, columns), place.get()[0])])
    share, none = load(builder, delta), zero(builder)
    with Loop(builder, rows) as i:
        line = builder.add(out_at, builder.mul(i, out_row))
        with Loop(builder, columns) as j:
            to = builder.add(line, builder.mul(j, out_pixel))
            is_here = place.get()[0] == _number(builder, i, j, columns)
            store(load(builder, to) + where(is_here, share, none), to)


def _number(builder: Builder, i: Value, j: Value, columns: Value) -> Vector:
    number = builder.add(builder.mul(i, columns), j)
    return spread(builder, builder.sitofp(number, F32))


@kernel
def maxpool_backward(
    thread: int,
    threads: int,
    x: TensorView,
    delta: TensorView,
    out: TensorView,
    size: int,
    stride: int,
    front: int,
) -> None:
    """Windows may overlap, so that each thread has some channels of a picture, or of several."""
    parts, vectors = x.n * x.vectors, x.vectors
    first, last = parts * thread // threads, parts * (thread + 1) // threads
    for b in range(first // vectors, (last + vectors - 1) // vectors):
        from_at = max(first - b * vectors, 0) * VECTOR
        to_at = min(last - b * vectors, vectors) * VECTOR
        for row in range(x.h):
            for column in range(x.w):
                place = pixel_at(out, b, row, column)
                for at in range(from_at, to_at, VECTOR):
                    put_zeros(place + at)
        for row in range(delta.h):
            top = max(row * stride - front, 0)
            high = min(row * stride - front + size, x.h) - top
            for column in range(delta.w):
                left = max(column * stride - front, 0)
                wide = min(column * stride - front + size, x.w) - left
                source, to = pixel_at(x, b, top, left), pixel_at(out, b, top, left)
                here = pixel_at(delta, b, row, column)
                for at in range(from_at, to_at, VECTOR):
                    maps = (source + at, x.row, x.pixel), (to + at, out.row, out.pixel)
                    add_to_largest(*maps, high, wide, here + at)


def emit_share(builder: Builder, at: Site) -> None:
    """The same of 2x2 side by side, times the slope at the largest of them: x is an activation's
    output, y the delta of what that was given."""
    values = [load(builder, place) for place in square(builder, at.x, at.x_map)]
    best = values[0]
    for value in values[1:]:
        best = where(value > best, value, best)
    delta = load(builder, at.other) * emit_slope(best, at.epilogue.slopes)
    outs = square(builder, at.y, at.y_map)
    for place, share in zip(outs, share_of_largest(values, best, delta), strict=True):
        store(share, place)


maxpool2_backward = make_elementwise("maxpool2_backward", emit_share, x_step=2, y_step=2)


@dataclass
class MaxpoolBackward(Step):
    """activation: x is this one's output, and `out` the delta of what it was given: where windows
    of 2x2 stand side by side."""

    READS, WRITES = ("delta", "x"), ("out",)
    delta: TensorSpec
    x: TensorSpec
    out: TensorSpec
    size: int
    stride: int
    padding: int
    activation: str = "linear"

    @property
    def is_square(self) -> bool:
        """Whether windows of 2x2 stand side by side."""
        _, h, w, _ = self.x.shape
        return (self.size, self.stride) == (2, 2) and self.delta.shape[1:3] == (h / 2, w / 2)

    @property
    def name(self) -> str:
        activation = "" if self.activation == "linear" else f" + delta {self.activation}"
        return f"delta maxpool {self.size}x{self.size}/{self.stride}{activation}"

    def rows(self, binding: Binding) -> Rows:
        x, delta, out = (binding.place(each) for each in (self.x, self.delta, self.out))
        if self.is_square:
            epilogue = Epilogue(slopes=binding.floats(SLOPES[self.activation]))
            return [elementwise_row(maxpool2_backward, x, out, delta, epilogue=epilogue)]
        window = {"size": self.size, "stride": self.stride, "front": self.padding // 2}
        return [maxpool_backward.step(x=x, delta=delta, out=out, **window)]


def avgpool_reference(x: np.ndarray) -> np.ndarray:
    """(n, h, w, c) -> (n, 1, 1, c)."""
    total = np.zeros((len(x), 1, 1, x.shape[3]), x.dtype)
    for row, column in np.ndindex(x.shape[1:3]):
        total[:, 0, 0] += x[:, row, column]
    total /= x.shape[1] * x.shape[2]
    return total


@instruction
def mean(builder: Builder, x: Strided, h: Value, w: Value, y: Value) -> None:
    """The mean vector of h x w pixels; sums of rows, then their sum, which keeps errors small."""
    first, row, pixel = x
    total, line = (Variables(builder, [zero(builder)]) for _ in range(2))
    with Loop(builder, h) as i:
        line.set([zero(builder)])
        start = builder.add(first, builder.mul(i, row))
        with Loop(builder, w) as j:
            value = load(builder, builder.add(start, builder.mul(j, pixel)))
            line.set([line.get()[0] + value])
        total.set([total.get()[0] + line.get()[0]])
    count = spread(builder, builder.sitofp(builder.mul(h, w), F32))
    store(total.get()[0] / count, y)


@kernel
def avgpool(thread: int, threads: int, x: TensorView, y: TensorView) -> None:
    """The mean of each channel."""
    parts = x.n * x.vectors
    for number in range(parts * thread // threads, parts * (thread + 1) // threads):
        b = number // x.vectors
        at = (number - b * x.vectors) * VECTOR
        map_at = pixel_at(x, b, 0, 0) + at, x.row, x.pixel
        mean(map_at, x.h, x.w, pixel_at(y, b, 0, 0) + at)


@dataclass
class Avgpool(Unary):
    """The mean of each channel: see ops.avgpool."""

    def rows(self, binding: Binding) -> Rows:
        return [avgpool.step(x=binding.place(self.x), y=binding.place(self.y))]


@instruction
def put_share(builder: Builder, delta: Value, count: Value, out: Value) -> None:
    """A vector of deltas, divided by a number."""
    store(load(builder, delta) / spread(builder, builder.sitofp(count, F32)), out)


@kernel
def avgpool_backward(thread: int, threads: int, delta: TensorView, out: TensorView) -> None:
    """Each pixel of out (h, w) gets delta / (h w)."""
    rows = out.n * out.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // out.h
        here, to = pixel_at(delta, b, 0, 0), pixel_at(out, b, number - b * out.h, 0)
        for column in range(out.w):
            for at in range(0, out.vectors * VECTOR, VECTOR):
                put_share(here + at, out.h * out.w, to + column * out.pixel + at)


@dataclass
class AvgpoolBackward(Unary):
    """x: the delta of the mean, y: that of the map."""

    name = "delta avgpool"

    def rows(self, binding: Binding) -> Rows:
        return [avgpool_backward.step(delta=binding.place(self.x), out=binding.place(self.y))]


def match_maxpool(chain: Chain) -> Step:
    x, size, stride, padding = chain.call.arguments
    return Maxpool(x, chain.call.result, size, stride, padding)


def match_maxpool_backward(chain: Chain) -> Step:
    """With an activation before it, if windows stand side by side."""
    delta, x, size, stride, padding = chain.call.arguments
    step = MaxpoolBackward(delta, x, chain.call.result, size, stride, padding)
    if step.is_square:
        mask = take_mask(chain, x)
        step.activation = mask[1] if mask else "linear"
    step.out = chain.result
    return step


def match_avgpool(chain: Chain) -> Step:
    return Avgpool(chain.call.arguments[0], chain.call.result)


def match_avgpool_backward(chain: Chain) -> Step:
    return AvgpoolBackward(chain.call.arguments[0], chain.call.result)


RULES: Rules = {
    "maxpool": match_maxpool,
    "maxpool_backward": match_maxpool_backward,
    "avgpool": match_avgpool,
    "avgpool_backward": match_avgpool_backward,
}
