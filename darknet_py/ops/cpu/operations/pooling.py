"""Pooling: the largest of each window or its mean, the mean of each channel, the largest of some
channels; and deltas of the first and the third.

Nothing outside the map ever wins, or counts. A delta goes to the first of the largest values of its
window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Instruction,
    Loop,
    Pair,
    Places,
    Strided,
    Value,
    Variables,
    Vector,
    const,
    constant,
    instruction,
    load,
    load_first,
    spread,
    store,
    vector_type,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_slope, share_of_largest, square
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import Epilogue, Kernel, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import ALIGNMENT
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_mask
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.graph import TensorSpec
from darknet_py.ops.sizes import Stride, pair, stride_name

_LENGTH = vector_length()


class Windows(NamedTuple):
    """Rows and columns of a window, and steps from one to the next, down and to the right. The
    first window begins so many rows above and columns before the map."""

    high: int
    wide: int
    down: int
    right: int
    above: int
    before: int

    def at(self, row: int, column: int) -> tuple[slice, slice]:
        """Rows and columns of a window."""
        top, left = row * self.down - self.above, column * self.right - self.before
        return slice(max(top, 0), top + self.high), slice(max(left, 0), left + self.wide)


def windows_of(size: int, stride: Stride, padding: int) -> Windows:
    """As an op has them."""
    return Windows(size, size, *pair(stride), padding // 2, padding // 2)


def maxpool_reference(x: np.ndarray, y: np.ndarray, windows: Windows) -> None:
    """Writes y (n, h, w, c)."""
    for row, column in np.ndindex(y.shape[1:3]):
        rows, columns = windows.at(row, column)
        y[:, row, column] = x[:, rows, columns].max(axis=(1, 2), initial=-np.inf)


@instruction
def largest(builder: Builder, x: Strided, counts: Pair, y: Value) -> None:
    """The largest vector of rows x columns pixels."""
    best = Variables(builder, [load(builder, x[0])])
    with Places(builder, counts, [x]) as (place,):
        # in this order a NaN of the map stays
        best.set([best.get()[0].max(load(builder, place))])
    store(best.get()[0], y)


def make_pooling(name: str, one: Instruction) -> Kernel:
    """A kernel that makes a vector of each window, by an instruction as `largest`."""

    def pooling(thread: int, threads: int, x: TensorView, y: TensorView, windows: Windows) -> None:
        rows = y.n * y.h
        for number in range(rows * thread // threads, rows * (thread + 1) // threads):
            b = number // y.h
            row = number - b * y.h
            first = row * windows.down - windows.above
            top = max(first, 0)
            high = min(first + windows.high, x.h) - top
            for column in range(y.w):
                first = column * windows.right - windows.before
                left = max(first, 0)
                wide = min(first + windows.wide, x.w) - left
                source, to = pixel_at(x, b, top, left), pixel_at(y, b, row, column)
                for k in range(y.vectors):
                    at = k * VECTOR
                    one((source + at, x.row, x.pixel), (high, wide), to + at)

    pooling.__name__ = name
    return kernel(pooling)


maxpool = make_pooling("maxpool", largest)

_SEPARATE = 4
"""The size of windows from which on rows and columns are pooled one after the other."""


@dataclass
class Pool(Unary):
    """A number of each window."""

    kind: ClassVar[str] = "maxpool"
    size: int
    stride: Stride
    padding: int

    @property
    def name(self) -> str:
        return f"{self.kind} {_window_name(self.size, self.stride)}"


class Maxpool(Pool):
    """The largest of each window: see ops.maxpool."""

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        windows = windows_of(self.size, self.stride, self.padding)
        if self.size < _SEPARATE or x.w + y.w >= self.size * y.w:
            return [maxpool.step(x=x, y=y, windows=windows)]
        # columns of windows first, to a map as high as y and as wide as x
        pixel = y.vectors * VECTOR
        row, image = x.w * pixel, y.h * x.w * pixel
        room = binding.shared(y.n * image + ALIGNMENT)
        between = x._replace(
            address=room + -room % ALIGNMENT, h=y.h, image=image, row=row, pixel=pixel
        )
        tall = windows._replace(wide=1, right=1, before=0)
        flat = windows._replace(high=1, down=1, above=0)
        return [
            maxpool.step(x=x, y=between, windows=tall),
            maxpool.step(x=between, y=y, windows=flat),
        ]


def _window_name(size: int, stride: Stride) -> str:
    return f"{size}x{size}/{stride_name(stride)}"


def maxpool_backward_reference(
    delta: np.ndarray, x: np.ndarray, out: np.ndarray, windows: Windows
) -> None:
    """Writes out, the delta of x, of its shape."""
    out[...] = 0
    for b, row, column, k in np.ndindex(delta.shape):
        window = windows.at(row, column)
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
    windows: Windows,
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
            first_row = row * windows.down - windows.above
            top = max(first_row, 0)
            high = min(first_row + windows.high, x.h) - top
            for column in range(delta.w):
                first_column = column * windows.right - windows.before
                left = max(first_column, 0)
                wide = min(first_column + windows.wide, x.w) - left
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
    stride: Stride
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
        return f"delta maxpool {_window_name(self.size, self.stride)}{activation}"

    def rows(self, binding: Binding) -> Rows:
        x, delta, out = (binding.place(each) for each in (self.x, self.delta, self.out))
        if self.is_square:
            epilogue = Epilogue(slopes=binding.floats(SLOPES[self.activation]))
            return [elementwise_row(maxpool2_backward, x, out, delta, epilogue=epilogue)]
        windows = windows_of(self.size, self.stride, self.padding)
        return [maxpool_backward.step(x=x, delta=delta, out=out, windows=windows)]


def avgpool_reference(x: np.ndarray) -> np.ndarray:
    """(n, h, w, c) -> (n, 1, 1, c)."""
    total = np.zeros((len(x), 1, 1, x.shape[3]), x.dtype)
    for row, column in np.ndindex(x.shape[1:3]):
        total[:, 0, 0] += x[:, row, column]
    total /= x.shape[1] * x.shape[2]
    return total


@instruction
def mean(builder: Builder, x: Strided, counts: Pair, y: Value) -> None:
    """The mean vector of h x w pixels; sums of rows, then their sum, which keeps errors small."""
    h, w = counts
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
        mean(map_at, (x.h, x.w), pixel_at(y, b, 0, 0) + at)


local_avgpool = make_pooling("local_avgpool", mean)


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


def local_avgpool_reference(x: np.ndarray, y: np.ndarray, windows: Windows) -> None:
    """Writes y (n, h, w, c)."""
    for row, column in np.ndindex(y.shape[1:3]):
        rows, columns = windows.at(row, column)
        y[:, row, column] = x[:, rows, columns].mean(axis=(1, 2))


class LocalAvgpool(Pool):
    """The mean of each window: see ops.local_avgpool."""

    kind = "local_avgpool"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        windows = windows_of(self.size, self.stride, self.padding)
        return [local_avgpool.step(x=x, y=y, windows=windows)]


def maxpool_depth_reference(x: np.ndarray, out_channels: int) -> np.ndarray:
    """Of channels g, g + out_channels ... the largest."""
    y = x[..., :out_channels].copy()
    for k in range(out_channels, x.shape[3]):
        y[..., k % out_channels] = np.maximum(y[..., k % out_channels], x[..., k])
    return y


@instruction
def largest_channel(
    builder: Builder, x: Value, counts: Pair, out_channels: Value, y: Value
) -> None:
    """A vector of outputs. x: the channel of the first of them; counts: outputs, and channels from
    this one on. Lanes behind the last output are zeros."""
    outputs, channels = counts
    here = _smaller(builder, outputs, const(_LENGTH))
    best = Variables(builder, [load_first(builder, x, here)])
    lanes = Vector(builder, ir.Constant(vector_type(), [float(i) for i in range(_LENGTH)]))
    steps = builder.sdiv(builder.sub(channels, const(1)), out_channels)
    with Loop(builder, steps) as i:
        first = builder.mul(builder.add(i, const(1)), out_channels)
        count = _smaller(builder, here, builder.sub(channels, first))
        value = load_first(builder, builder.add(x, builder.shl(first, const(2))), count)
        is_there = lanes < spread(builder, builder.sitofp(count, F32))
        # in this order a NaN of the map stays
        best.set([where(is_there, best.get()[0].max(value), best.get()[0])])
    store(best.get()[0], y)


def _smaller(builder: Builder, one: Value, other: Value) -> Value:
    return builder.select(builder.icmp_signed("<", one, other), one, other)


@kernel
def maxpool_depth(
    thread: int, threads: int, x: TensorView, y: TensorView, out_channels: int
) -> None:
    """Of channels g, g + out_channels ... the largest."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        for column in range(y.w):
            source, to = pixel_at(x, b, row, column), pixel_at(y, b, row, column)
            for k in range(y.vectors):
                counts = out_channels - k * _LENGTH, x.c - k * _LENGTH
                largest_channel(source + k * VECTOR, counts, out_channels, to + k * VECTOR)


@dataclass
class MaxpoolDepth(Unary):
    """The largest of some channels: see ops.maxpool_depth."""

    out_channels: int
    name = "maxpool depth"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        return [maxpool_depth.step(x=x, y=y, out_channels=self.out_channels)]


def match_local_avgpool(chain: Chain) -> Step:
    x, size, stride, padding = chain.call.arguments
    return LocalAvgpool(x, chain.call.result, size, stride, padding)


def match_maxpool_depth(chain: Chain) -> Step:
    x, out_channels = chain.call.arguments
    return MaxpoolDepth(x, chain.call.result, out_channels)


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
    "local_avgpool": match_local_avgpool,
    "maxpool_depth": match_maxpool_depth,
}
