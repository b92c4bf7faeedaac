"""Steps that move or combine maps: bound by memory alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.allocate import FLOAT, Memory, padded
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.cpu.compile.table import FromInput, Row
from darknet_py.ops.cpu.operations import dream
from darknet_py.ops.cpu.operations import elementwise_kernel as maps
from darknet_py.ops.cpu.operations.softmax import softmax
from darknet_py.ops.graph import TensorSpec


@dataclass
class Picture(Unary):
    """The network's input (n, c, h, w), in rows as a program is given it; perhaps a window of it,
    each channel times a factor plus another."""

    dense: bool = False
    """Whether all readers take channels without padding."""
    top: int = 0
    left: int = 0
    scales: np.ndarray = field(init=False)
    shifts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        channels = self.x.shape[1]
        self.scales, self.shifts = np.ones(channels, np.float32), np.zeros(channels, np.float32)

    @property
    def reads(self) -> list[TensorSpec]:
        return []

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.need(self.y).dense = self.dense

    def rows(self, binding: Binding) -> Rows:
        y = binding.place(self.y)
        _, c, in_h, in_w = self.x.shape
        row = maps.picture.step(
            # the program adds the picture's address
            x=FLOAT * (self.top * in_w + self.left),
            y=y.address,
            batch=y.n,
            c=c,
            h=y.h,
            w=y.w,
            x_image=FLOAT * c * in_h * in_w,
            x_channel=FLOAT * in_h * in_w,
            x_row=FLOAT * in_w,
            factors=binding.floats(np.stack([self.scales, self.shifts], axis=1)),
            **y.pitches("y"),
        )
        return [FromInput(row)]


@dataclass
class Softmax(Unary):
    temperature: float

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row = softmax.step(
            x=x.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            c=x.c,
            y_image=y.image,
            temperature=binding.floats([self.temperature]),
            **x.pitches("x"),
        )
        return [row]


@dataclass
class Activate(Unary):
    activation: str

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row = maps.activate_map.step(
            x=x.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            vectors=x.vectors,
            slopes=binding.floats(SLOPES[self.activation]),
            **x.pitches("x"),
            **y.pitches("y"),
        )
        return [row]


@dataclass
class ActivateBackward(Step):
    """delta times the activation's slope, by its output y."""

    delta: TensorSpec
    y: TensorSpec
    out: TensorSpec
    activation: str

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.delta, self.y]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.out]

    @property
    def name(self) -> str:
        return f"delta {self.activation}"

    def rows(self, binding: Binding) -> Rows:
        delta, y, out = (binding.place(each) for each in (self.delta, self.y, self.out))
        row = maps.activate_map_backward.step(
            delta=delta.address,
            y=y.address,
            out=out.address,
            batch=y.n,
            h=y.h,
            w=y.w,
            vectors=y.vectors,
            slopes=binding.floats(SLOPES[self.activation]),
            **delta.pitches("delta"),
            **y.pitches("y"),
            **out.pitches("out"),
        )
        return [row]


@dataclass
class DreamDelta(Unary):
    thresh: float

    @property
    def name(self) -> str:
        return "dream"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row = dream.dream_delta.step(
            x=x.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            c=x.c,
            thresh=binding.floats([self.thresh]),
            **x.pitches("x"),
            **y.pitches("y"),
        )
        return [row]


@dataclass
class Concat(Step):
    """Maps side by side: those that do not lie there already are copied."""

    parts: list[TensorSpec]
    y: TensorSpec

    @property
    def reads(self) -> list[TensorSpec]:
        return self.parts

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.y]

    @property
    def name(self) -> str:
        return "concat"

    def rows(self, binding: Binding) -> Rows:
        y = binding.place(self.y)
        rows: list[Row | Callable[[], None]] = []
        channel = 0
        for part in self.parts:
            x = binding.place(part)
            if x.address != y.address + FLOAT * channel:
                row = maps.copy_map.step(
                    x=x.address,
                    y=y.address + FLOAT * channel,
                    batch=x.n,
                    h=x.h,
                    w=x.w,
                    vectors=x.vectors,
                    **x.pitches("x"),
                    **y.pitches("y"),
                )
                rows.append(row)
            channel += x.c
        return rows


@dataclass
class Add(Step):
    """activation(alpha x + beta other) where they meet: see ops.shortcut."""

    x: TensorSpec
    other: TensorSpec
    y: TensorSpec
    alpha: float
    beta: float
    activation: str = "linear"

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.x, self.other]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.y]

    @property
    def name(self) -> str:
        return "add"

    def rows(self, binding: Binding) -> Rows:
        x, other, y = (binding.place(map_) for map_ in (self.x, self.other, self.y))
        sample, stride = max(x.h // other.h, 1), max(other.h // x.h, 1)
        row = maps.add_map.step(
            x=x.address,
            other=other.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            vectors=x.vectors,
            meets_h=min(x.h, other.h),
            meets_w=min(x.w, other.w),
            meets_vectors=min(padded(x.c), padded(other.c)) // vector_length(),
            x_sample=sample,
            other_sample=stride,
            factors=binding.floats((self.alpha, self.beta)),
            slopes=binding.floats(SLOPES[self.activation]),
            **x.pitches("x"),
            **other.pitches("other"),
            **y.pitches("y"),
        )
        return [row]
