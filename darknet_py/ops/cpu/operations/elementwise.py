"""Operations on each pixel by itself: copies, activations, sums. Bound by memory alone.

`make_elementwise` makes a kernel, which walks over the pixels of up to three maps, of what is done
with a vector of channels: batch norm and 2x2 pooling too, see batchnorm.py and pooling.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    instruction,
    load,
    load_first,
    offset,
    splat,
    store,
    store_first,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_activation, emit_slope
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import (
    NO_VIEW,
    ChannelArrays,
    Epilogue,
    Kernel,
    TensorView,
    kernel,
)
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import FLOAT
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_activation
from darknet_py.ops.cpu.compile.step import Binding, Row, Rows, Step, Unary
from darknet_py.ops.graph import TensorSpec


class Site(NamedTuple):
    """Where a vector of channels is, while a kernel is emitted: addresses of its pixels and arrays,
    and of the maps the pitches."""

    x: Value
    other: Value
    y: Value
    x_map: TensorView
    y_map: TensorView
    channels: ChannelArrays
    epilogue: Epilogue


def make_elementwise(
    name: str, emit: Callable[[Builder, Site], None], x_step: int = 1, y_step: int = 1
) -> Kernel:
    """A kernel that does `emit` at every pixel of every channel vector. x_step, y_step: 2 where a
    pixel of `other` stands for 2x2 of x, or of y."""

    @instruction
    def apply(
        builder: Builder,
        places: tuple[Value, ...],
        x: TensorView,
        y: TensorView,
        channels: ChannelArrays,
        epilogue: Epilogue,
        at: Value,
    ) -> None:
        x_at, other_at, y_at, *arrays = (builder.add(each, at) for each in (*places, *channels))
        emit(builder, Site(x_at, other_at, y_at, x, y, ChannelArrays(*arrays), epilogue))

    def elementwise(
        thread: int,
        threads: int,
        x: TensorView,
        other: TensorView,
        y: TensorView,
        channels: ChannelArrays,
        epilogue: Epilogue,
    ) -> None:
        h, w = y.h // y_step, y.w // y_step
        rows = y.n * h
        for number in range(rows * thread // threads, rows * (thread + 1) // threads):
            b = number // h
            row = number - b * h
            x_at, y_at = pixel_at(x, b, x_step * row, 0), pixel_at(y, b, y_step * row, 0)
            other_at = pixel_at(other, b, row, 0)
            for _ in range(w):
                for at in range(0, x.vectors * VECTOR, VECTOR):
                    apply((x_at, other_at, y_at), x, y, channels, epilogue, at)
                x_at += x_step * x.pixel
                y_at += y_step * y.pixel
                other_at += other.pixel

    elementwise.__name__ = name
    return kernel(elementwise)


def elementwise_row(
    kernel: Kernel,
    x: TensorView,
    y: TensorView,
    other: TensorView = NO_VIEW,
    channels: ChannelArrays | None = None,
    epilogue: Epilogue | None = None,
) -> Row:
    """The row of a kernel that make_elementwise made."""
    channels, epilogue = channels or ChannelArrays(), epilogue or Epilogue()
    return kernel.step(x=x, other=other, y=y, channels=channels, epilogue=epilogue)


def emit_activate(builder: Builder, at: Site) -> None:
    store(emit_activation(builder, at.epilogue.slopes, [load(builder, at.x)])[0], at.y)


def emit_activate_backward(builder: Builder, at: Site) -> None:
    """x: a delta; other: the activation's output, by whose sign the slope is known."""
    slope = emit_slope(load(builder, at.other), at.epilogue.slopes)
    store(load(builder, at.x) * slope, at.y)


activate = make_elementwise("activate", emit_activate)
activate_backward = make_elementwise("activate_backward", emit_activate_backward)


def activate_reference(x: np.ndarray, activation: str) -> np.ndarray:
    """y = max(first x, second x), by the activation's two slopes."""
    first, second = SLOPES[activation]
    y = np.empty_like(x)
    for i in np.ndindex(x.shape):
        y[i] = max(first * x[i], second * x[i])
    return y


def activate_backward_reference(delta: np.ndarray, y: np.ndarray, activation: str) -> np.ndarray:
    """delta times the slope, by the sign of the activation's output y."""
    first, second = SLOPES[activation]
    out = np.empty_like(delta)
    for i in np.ndindex(y.shape):
        out[i] = delta[i] * (first if y[i] > 0 else second)
    return out


@dataclass
class Activate(Unary):
    """y = activation(x)."""

    activation: str

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        epilogue = Epilogue(slopes=binding.floats(SLOPES[self.activation]))
        return [elementwise_row(activate, x, y, epilogue=epilogue)]


@dataclass
class ActivateBackward(Step):
    """delta times the activation's slope, by its output y."""

    READS, WRITES = ("delta", "y"), ("out",)
    delta: TensorSpec
    y: TensorSpec
    out: TensorSpec
    activation: str

    @property
    def name(self) -> str:
        return f"delta {self.activation}"

    def rows(self, binding: Binding) -> Rows:
        delta, y, out = (binding.place(each) for each in (self.delta, self.y, self.out))
        epilogue = Epilogue(slopes=binding.floats(SLOPES[self.activation]))
        return [elementwise_row(activate_backward, delta, out, y, epilogue=epilogue)]


@instruction
def combine(
    builder: Builder, y: Value, x: Value, other: Value, factors: Value, slopes: Value
) -> None:
    scaled = load(builder, x) * splat(builder, factors)
    total = scaled + load(builder, other) * splat(builder, offset(builder, factors, FLOAT))
    store(emit_activation(builder, slopes, [total])[0], y)


@instruction
def combine_first(
    builder: Builder, y: Value, x: Value, other: Value, factors: Value, slopes: Value, count: Value
) -> None:
    """The same for the first `count` numbers of a vector."""
    scaled = load_first(builder, x, count) * splat(builder, factors)
    there = load_first(builder, other, count)
    total = scaled + there * splat(builder, offset(builder, factors, FLOAT))
    store_first(emit_activation(builder, slopes, [total])[0], y, count)


@instruction
def apply_activation(builder: Builder, y: Value, x: Value, slopes: Value) -> None:
    store(emit_activation(builder, slopes, [load(builder, x)])[0], y)


class Overlap(NamedTuple):
    """Where two maps add up: at every x_sample-th pixel of x and every other_sample-th of other, h
    x w times, in the first `vectors` vectors of channels and the first `tail` channels of the next.
    """

    h: int
    w: int
    vectors: int
    tail: int
    x_sample: int
    other_sample: int


@kernel
def add(
    thread: int,
    threads: int,
    x: TensorView,
    other: TensorView,
    y: TensorView,
    overlap: Overlap,
    factors: int,
    slopes: int,
) -> None:
    """y = activation(alpha x + beta other) where they overlap, activation(x) elsewhere. factors:
    the address of alpha and beta."""
    rows, sample = x.n * x.h, overlap.x_sample
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // x.h
        row = number - b * x.h
        is_row = row % sample == 0 and row // sample < overlap.h
        other_row = row // sample * overlap.other_sample
        for column in range(x.w):
            here, to = pixel_at(x, b, row, column), pixel_at(y, b, row, column)
            there = pixel_at(other, b, other_row, column // sample * overlap.other_sample)
            vectors, tail = 0, 0
            if is_row and column % sample == 0 and column // sample < overlap.w:
                vectors, tail = overlap.vectors, overlap.tail
            for k in range(vectors):
                at = k * VECTOR
                combine(to + at, here + at, there + at, factors, slopes)
            for k in range(vectors, x.vectors):
                apply_activation(to + k * VECTOR, here + k * VECTOR, slopes)
            if tail > 0:
                at = vectors * VECTOR
                combine_first(to + at, here + at, there + at, factors, slopes, tail)


def add_reference(
    x: np.ndarray, other: np.ndarray, alpha: float, beta: float, activation: str = "linear"
) -> np.ndarray:
    """As ops.shortcut: maps of other sizes add up at every larger // smaller pixel, and in the
    channels that both have."""
    y = x.copy()
    sample, stride = max(x.shape[1] // other.shape[1], 1), max(other.shape[1] // x.shape[1], 1)
    h, w, c = (min(a, b) for a, b in zip(x.shape[1:], other.shape[1:], strict=True))
    for b, i, j, k in np.ndindex(len(x), h, w, c):
        here = b, i * sample, j * sample, k
        y[here] = alpha * x[here] + beta * other[b, i * stride, j * stride, k]
    return activate_reference(y, activation)


@dataclass
class Add(Step):
    """activation(alpha x + beta other) where they overlap: see ops.shortcut."""

    READS = "x", "other"
    x: TensorSpec
    other: TensorSpec
    y: TensorSpec
    alpha: float
    beta: float
    activation: str = "linear"

    def rows(self, binding: Binding) -> Rows:
        x, other, y = (binding.place(each) for each in (self.x, self.other, self.y))
        # the padding of channels that both have adds up to zeros
        vectors, tail = divmod(min(x.c, other.c), vector_length())
        vectors, tail = (x.vectors, 0) if x.c == other.c else (vectors, tail)
        overlap = Overlap(
            h=min(x.h, other.h),
            w=min(x.w, other.w),
            vectors=vectors,
            tail=tail,
            x_sample=max(x.h // other.h, 1),
            other_sample=max(other.h // x.h, 1),
        )
        factors = binding.floats((self.alpha, self.beta))
        slopes = binding.floats(SLOPES[self.activation])
        return [add.step(x=x, other=other, y=y, overlap=overlap, factors=factors, slopes=slopes)]


def match_activate(chain: Chain) -> Step | None:
    x, activation = chain.call.arguments
    return Activate(x, chain.call.result, activation) if activation in SLOPES else None


def match_activate_backward(chain: Chain) -> Step | None:
    delta, y, activation = chain.call.arguments
    if activation not in SLOPES:
        return None
    return ActivateBackward(delta, y, chain.call.result, activation)


def match_add(chain: Chain) -> Step | None:
    one, other = chain.call.arguments
    return Add(one, other, chain.call.result, 1.0, 1.0)


def match_shortcut(chain: Chain) -> Step | None:
    x, other, alpha, beta = chain.call.arguments
    if not _overlap_evenly(x, other):
        return None
    step = Add(x, other, chain.call.result, alpha, beta, take_activation(chain))
    step.y = chain.result
    return step


def _overlap_evenly(x: TensorSpec, other: TensorSpec) -> bool:
    """Whether the kernel adds where the op does: rows and columns at one sampling."""
    sides = zip(x.shape[1:3], other.shape[1:3], strict=True)
    return len({(max(a // b, 1), max(b // a, 1)) for a, b in sides}) == 1


RULES: Rules = {
    "activate": match_activate,
    "activate_backward": match_activate_backward,
    "add": match_add,
    "shortcut": match_shortcut,
}
