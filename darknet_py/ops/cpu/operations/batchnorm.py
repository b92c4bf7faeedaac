"""Batch normalisation in training: forward with the batch's statistics, or with fixed ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from darknet_py.ops.cpu.codegen.descriptor import TensorView
from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.compile.allocate import Memory
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations import batchnorm_kernel as kernels
from darknet_py.ops.cpu.operations import statistics
from darknet_py.ops.graph import TensorSpec


@dataclass
class Normalize(Step):
    """y = activation(norm(x) [+ added]) [+ added_after], [the largest of 2x2]; see ops.batchnorm.

    mean, variance: maps (c,) that it writes, as are scale and shift, with which norm(x) is
    (x - mean) scale + shift. rolling: averages that move, or none; fixed: that they are not moved,
    but are mean and variance.
    """

    x: TensorSpec
    y: TensorSpec
    mean: TensorSpec
    variance: TensorSpec
    scales: np.ndarray
    biases: np.ndarray | None
    rolling: tuple[np.ndarray, np.ndarray] | None = None
    fixed: bool = False
    activation: str = "linear"
    added: TensorSpec | None = None
    added_after: TensorSpec | None = None
    pooled: bool = False
    scale: TensorSpec = field(init=False)
    shift: TensorSpec = field(init=False)

    def __post_init__(self) -> None:
        self.scale = TensorSpec(self.mean.shape, self.mean.tracer)
        self.shift = TensorSpec(self.mean.shape, self.mean.tracer)

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.x, *(x for x in (self.added, self.added_after) if x is not None)]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.y, self.mean, self.variance, self.scale, self.shift]

    @property
    def name(self) -> str:
        extras = [
            "" if self.activation == "linear" else self.activation,
            "add" if self.added is not None or self.added_after is not None else "",
            "maxpool" if self.pooled else "",
        ]
        return "batchnorm" + "".join(f" + {extra}" for extra in extras if extra)

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.twins += [(x, self.y) for x in (self.added, self.added_after) if x is not None]

    def scratch(self, threads: int) -> int:
        return threads * statistics.statistics_size(-(-self.x.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        if self.fixed:
            return [self._coefficients(binding, x), self._apply(binding, x, y)]
        return [
            self._sums(binding, x),
            self._finish(binding, x),
            self._apply(binding, x, y),
        ]

    def _sums(self, binding: Binding, x: TensorView) -> Row:
        return statistics.statistics.step(
            x=x.address,
            batch=x.n,
            h=x.h,
            w=x.w,
            vectors=x.vectors,
            sums=binding.scratch.ctypes.data,
            sums_size=statistics.statistics_size(x.vectors),
            **x.pitches("x"),
        )

    def _finish(self, binding: Binding, x: TensorView) -> Row:
        return statistics.finish_statistics.step(
            sums=binding.scratch.ctypes.data,
            sums_size=statistics.statistics_size(x.vectors),
            count=x.n * x.h * x.w,
            **self._numbers(binding, x),
        )

    def _coefficients(self, binding: Binding, x: TensorView) -> Row:
        return statistics.fixed_statistics.step(**self._numbers(binding, x))

    def _numbers(self, binding: Binding, x: TensorView) -> dict[str, int]:
        """The arrays of a number for each channel."""
        mean, variance = self.rolling or (None, None)
        return {
            "c": x.c,
            "vectors": x.vectors,
            "mean": binding.place(self.mean).address,
            "variance": binding.place(self.variance).address,
            "rolling_mean": address(mean),
            "rolling_variance": address(variance),
            "scales": address(self.scales),
            "biases": address(self.biases),
            "scale": binding.place(self.scale).address,
            "shift": binding.place(self.shift).address,
        }

    def _apply(self, binding: Binding, x: TensorView, y: TensorView) -> Row:
        common = {
            "x": x.address,
            "y": y.address,
            "batch": y.n,
            "h": y.h,
            "w": y.w,
            "vectors": y.vectors,
            "mean": binding.place(self.mean).address,
            "scale": binding.place(self.scale).address,
            "shift": binding.place(self.shift).address,
            "slopes": binding.floats(SLOPES[self.activation]),
            **x.pitches("x"),
            **y.pitches("y"),
        }
        if self.pooled:
            return kernels.normalize_pooled.step(**common)
        return kernels.normalize.step(
            added=binding.difference(self.added, y),
            added_after=binding.difference(self.added_after, y),
            **common,
        )


def address(array: np.ndarray | None) -> int:
    """Of an array's first number; 0 for none."""
    return 0 if array is None else int(array.ctypes.data)
