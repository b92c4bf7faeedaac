"""The delta of a dream: the values of a map that exceed a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.float64_sums import float_at, put_float
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary


def dream_delta_reference(x: np.ndarray, thresh: float) -> np.ndarray:
    """x (n, h, w, c) where it exceeds its picture's mean + thresh standard deviations, else 0."""
    y = np.zeros_like(x)
    for b, picture in enumerate(x):
        limit = picture.mean() + thresh * picture.std()
        for i in np.ndindex(picture.shape):
            if picture[i] > limit:
                y[b][i] = picture[i]
    return y


@kernel
def dream_delta(thread: int, threads: int, x: TensorView, y: TensorView, thresh: int) -> None:
    """thresh: the address of a float. Every thread sums a whole picture, in doubles and one order,
    and then writes some rows of it."""
    count = x.h * x.w * x.c
    for b in range(x.n):
        total, squares = 0.0, 0.0
        for row in range(x.h):
            for column in range(x.w):
                here = pixel_at(x, b, row, column)
                line, line_squares = 0.0, 0.0
                for k in range(x.c):
                    value = float_at(here + 4 * k)
                    line += value
                    line_squares += value * value
                total += line
                squares += line_squares
        mean = total / count
        deviation = math.sqrt(max(squares / count - mean * mean, 0.0))
        limit = mean + float_at(thresh) * deviation
        for row in range(x.h * thread // threads, x.h * (thread + 1) // threads):
            for column in range(x.w):
                here, to = pixel_at(x, b, row, column), pixel_at(y, b, row, column)
                for k in range(x.c):
                    value = float_at(here + 4 * k)
                    put_float(to + 4 * k, value if value > limit else 0.0)


@dataclass
class DreamDelta(Unary):
    """The delta that a dream backpropagates: see ops.dream_delta."""

    name = "dream"
    thresh: float

    def rows(self, binding: Binding) -> Rows:
        thresh = binding.floats([self.thresh])
        return [dream_delta.step(x=binding.place(self.x), y=binding.place(self.y), thresh=thresh)]


def match_dream(chain: Chain) -> Step:
    y, thresh = chain.call.arguments
    return DreamDelta(y, chain.call.result, thresh)


RULES: Rules = {"dream_delta": match_dream}
