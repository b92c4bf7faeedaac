"""Pooling steps, forward and back."""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.ops.cpu.kernels import pool, pool_backward
from darknet_py.ops.cpu.plan.step import Binding, Rows, Step, Unary
from darknet_py.ops.record import Map


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
            x=x.address,
            y=y.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            out_h=y.h,
            out_w=y.w,
            size=self.size,
            stride=self.stride,
            front=self.padding // 2,
            vectors=y.vectors,
            **x.pitches("x"),
            **y.pitches("y"),
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
    delta: Map
    x: Map
    out: Map
    size: int
    stride: int
    padding: int

    @property
    def reads(self) -> list[Map]:
        return [self.delta, self.x]

    @property
    def writes(self) -> list[Map]:
        return [self.out]

    @property
    def name(self) -> str:
        return f"delta maxpool {self.size}x{self.size}/{self.stride}"

    def rows(self, binding: Binding) -> Rows:
        x, delta, out = (binding.place(each) for each in (self.x, self.delta, self.out))
        row = pool_backward.maxpool_backward.step(
            x=x.address,
            delta=delta.address,
            out=out.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            out_h=delta.h,
            out_w=delta.w,
            size=self.size,
            stride=self.stride,
            front=self.padding // 2,
            vectors=x.vectors,
            **x.pitches("x"),
            **delta.pitches("delta"),
            **out.pitches("out"),
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
