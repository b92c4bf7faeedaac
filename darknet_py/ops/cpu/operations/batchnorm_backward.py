"""Deltas back through pooling, activation and batch norm, and the updates of scales and biases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.descriptor import NO_VIEW, TensorView
from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations import batchnorm_backward_kernel as kernels
from darknet_py.ops.cpu.operations import statistics_backward as statistics
from darknet_py.ops.cpu.operations.batchnorm import Normalize, address
from darknet_py.ops.graph import TensorSpec


@dataclass
class NormalizeBackward(Step):
    """The delta of norm.x, from that of y: of norm.y, or of what norm.activation was given.

    scale_updates, bias_updates: arrays (c,) to which it adds; None where nobody wants them.
    """

    norm: Normalize
    delta: TensorSpec
    out: TensorSpec
    activation: str
    pooled: bool
    scale_updates: np.ndarray | None
    bias_updates: np.ndarray | None

    @property
    def reads(self) -> list[TensorSpec]:
        norm = self.norm
        return [self.delta, norm.x, norm.mean, norm.variance, norm.scale, norm.shift]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.out]

    @property
    def name(self) -> str:
        extras = ["maxpool"] * self.pooled + [self.activation] * (self.activation != "linear")
        return " + ".join(["delta " + extra for extra in [*extras, "batchnorm"]])

    def scratch(self, threads: int) -> int:
        # the most that any vector length pads
        return threads * statistics.backward_sums_size(-(-self.norm.x.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        norm = self.norm
        x, delta, out = (binding.place(each) for each in (norm.x, self.delta, self.out))
        coefficients = binding.room(3 * padded(x.c))
        a, b, e = (int(part.ctypes.data) for part in np.split(coefficients, 3))
        common = {
            "x": x.address,
            "delta": delta.address,
            "y": 0,
            "batch": delta.n,
            "h": delta.h,
            "w": delta.w,
            "vectors": x.vectors,
            "mean": binding.place(norm.mean).address,
            "scale": binding.place(norm.scale).address,
            "shift": binding.place(norm.shift).address,
            "slopes": binding.floats(SLOPES[self.activation]),
            **x.pitches("x"),
            **delta.pitches("delta"),
            **_NOWHERE.pitches("y"),
        }
        sums, last = _POOLED if self.pooled else _PLAIN
        return [
            sums.step(
                kept=0,
                sums=binding.scratch.ctypes.data,
                sums_size=statistics.backward_sums_size(x.vectors),
                **_NOWHERE.pitches("kept"),
                **common,
            ),
            self._finish(binding, x, (a, b, e)),
            last.step(out=out.address, a=a, b=b, e=e, **out.pitches("out"), **common),
        ]

    def _finish(self, binding: Binding, x: TensorView, coefficients: tuple[int, int, int]) -> Row:
        a, b, e = coefficients
        scale_updates = self.scale_updates
        if scale_updates is None:
            scale_updates = binding.room(padded(x.c))
        return statistics.finish_backward_sums.step(
            sums=binding.scratch.ctypes.data,
            sums_size=statistics.backward_sums_size(x.vectors),
            count=x.n * x.h * x.w,
            c=x.c,
            vectors=x.vectors,
            variance=binding.place(self.norm.variance).address,
            scales=address(self.norm.scales),
            scale_updates=address(scale_updates),
            bias_updates=address(self.bias_updates),
            a=a,
            b=b,
            e=e,
            fixed=int(self.norm.fixed),
        )


_PLAIN = statistics.backward_sums_plain, kernels.backward_plain
_POOLED = statistics.backward_sums_pooled, kernels.backward_pooled
_NOWHERE = NO_VIEW


@dataclass
class BiasGradient(Step):
    """updates (c,) += the sum of delta over all places."""

    delta: TensorSpec
    updates: np.ndarray

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.delta]

    @property
    def writes(self) -> list[TensorSpec]:
        return []

    @property
    def name(self) -> str:
        return "biases"

    def scratch(self, threads: int) -> int:
        return threads * statistics.backward_sums_size(-(-self.delta.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        delta = binding.place(self.delta)
        zeros = int(binding.room(padded(delta.c)).ctypes.data)
        size = statistics.backward_sums_size(delta.vectors)
        row = statistics.backward_sums_plain.step(
            x=delta.address,
            delta=delta.address,
            y=0,
            kept=0,
            batch=delta.n,
            h=delta.h,
            w=delta.w,
            vectors=delta.vectors,
            mean=zeros,
            scale=zeros,
            shift=zeros,
            slopes=binding.floats(SLOPES["linear"]),
            sums=binding.scratch.ctypes.data,
            sums_size=size,
            **delta.pitches("x"),
            **delta.pitches("delta"),
            **_NOWHERE.pitches("y"),
            **_NOWHERE.pitches("kept"),
        )
        last = statistics.add_bias_updates.step(
            sums=binding.scratch.ctypes.data,
            sums_size=size,
            c=delta.c,
            bias_updates=address(self.updates),
        )
        return [row, last]
