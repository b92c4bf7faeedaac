"""Softmax."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.float64_sums import float_at, put_float
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary


def softmax_reference(x: np.ndarray, temperature: float) -> np.ndarray:
    """x (n, h, w, c) -> (n, 1, 1, c h w), in (c, h, w) order."""
    y = np.empty((len(x), 1, 1, x[0].size), x.dtype)
    for b, picture in enumerate(x):
        scores = picture.transpose(2, 0, 1).reshape(-1) / temperature
        powers = [math.exp(score - scores.max()) for score in scores]
        y[b, 0, 0] = np.array(powers) / sum(powers)
    return y


@kernel
def softmax(thread: int, threads: int, x: TensorView, y: TensorView, temperature: int) -> None:
    """exp(x / temperature), made to sum to 1 over a picture. temperature: the address of a
    float."""
    heat = float_at(temperature)
    for b in range(x.n * thread // threads, x.n * (thread + 1) // threads):
        largest = float_at(pixel_at(x, b, 0, 0))
        for row in range(x.h):
            for column in range(x.w):
                for k in range(x.c):
                    largest = max(largest, float_at(pixel_at(x, b, row, column) + 4 * k))
        total = 0.0
        to = pixel_at(y, b, 0, 0)
        for k in range(x.c):
            for row in range(x.h):
                for column in range(x.w):
                    score = float_at(pixel_at(x, b, row, column) + 4 * k)
                    value = math.exp((score - largest) / heat)
                    put_float(to + 4 * ((k * x.h + row) * x.w + column), value)
                    total += value
        for k in range(x.c * x.h * x.w):
            put_float(to + 4 * k, float_at(to + 4 * k) / total)


@dataclass
class Softmax(Unary):
    """A map to a vector of probabilities: see ops.softmax."""

    temperature: float

    def rows(self, binding: Binding) -> Rows:
        temperature = binding.floats([self.temperature])
        x, y = binding.place(self.x), binding.place(self.y)
        return [softmax.step(x=x, y=y, temperature=temperature)]


def match_flatten(chain: Chain) -> Step | None:
    (x,) = chain.call.arguments
    call = chain.next("softmax", lambda call: call.arguments[1] == 1)
    return Softmax(x, chain.result, call.arguments[2]) if call else None


def match_softmax(chain: Chain) -> Step | None:
    x, groups, temperature = chain.call.arguments
    if groups != 1 or x.shape[1:3] != (1, 1):
        return None
    return Softmax(x, chain.call.result, temperature)


RULES: Rules = {"flatten_chw": match_flatten, "softmax": match_softmax}
