"""Pooling steps, forward and back."""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.cpu.operations import pooling_backward_kernel as pool_backward
from darknet_py.ops.cpu.operations import pooling_kernel as pool
from darknet_py.ops.graph import TensorSpec


@dataclass
class Maxpool(Unary):
    size: int
    stride: int
    padding: int

    @property
    def name(self) -> str:
        return f"maxpool {self.size}x{self.size}/{self.stride}"

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row = pool.maxpool.step(
            x=x, y=y, size=self.size, stride=self.stride, front=self.padding // 2
        )
        return [row]


@dataclass
class Avgpool(Unary):
    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        row = pool.avgpool.step(
            x=x.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            vectors=x.vectors,
            y_image=y.image,
            **x.pitches("x"),
        )
        return [row]


@dataclass
class MaxpoolBackward(Step):
    delta: TensorSpec
    x: TensorSpec
    out: TensorSpec
    size: int
    stride: int
    padding: int
    activation: str = "linear"
    """x is this one's output, and `out` the delta of what it was given: where windows of 2x2 stand
    side by side."""

    @property
    def is_square(self) -> bool:
        """Whether windows of 2x2 stand side by side."""
        _, h, w, _ = self.x.shape
        return (self.size, self.stride) == (2, 2) and self.delta.shape[1:3] == (h / 2, w / 2)

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.delta, self.x]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.out]

    @property
    def name(self) -> str:
        activation = "" if self.activation == "linear" else f" + delta {self.activation}"
        return f"delta maxpool {self.size}x{self.size}/{self.stride}{activation}"

    def rows(self, binding: Binding) -> Rows:
        x, delta, out = (binding.place(each) for each in (self.x, self.delta, self.out))
        common = {
            "x": x.address,
            "delta": delta.address,
            "out": out.address,
            "batch": x.n,
            "vectors": x.vectors,
            **x.pitches("x"),
            **delta.pitches("delta"),
            **out.pitches("out"),
        }
        if self.is_square:
            slopes = binding.floats(SLOPES[self.activation])
            return [
                pool_backward.maxpool2_backward.step(h=delta.h, w=delta.w, slopes=slopes, **common)
            ]
        row = pool_backward.maxpool_backward.step(
            h=x.h,
            w=x.w,
            out_h=delta.h,
            out_w=delta.w,
            size=self.size,
            stride=self.stride,
            front=self.padding // 2,
            **common,
        )
        return [row]


@dataclass
class AvgpoolBackward(Unary):
    """x: the delta of the mean, y: that of the map."""

    @property
    def name(self) -> str:
        return "delta avgpool"

    def rows(self, binding: Binding) -> Rows:
        delta, out = binding.place(self.x), binding.place(self.y)
        row = pool_backward.avgpool_backward.step(
            delta=delta.address,
            out=out.address,
            batch=out.n,
            h=out.h,
            w=out.w,
            vectors=out.vectors,
            delta_image=delta.image,
            **out.pitches("out"),
        )
        return [row]
