"""A program's pictures, (n, c, h, w), to its first map."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from darknet_py.ops.cpu.codegen.emit import F32, Builder, Value, instruction, offset, pointer
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.compile.allocate import FLOAT, Memory
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, FromInput, Rows, Step, Unary
from darknet_py.ops.fusion import is_constant


def image_input_reference(x: np.ndarray, scales: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """(n, c, h, w) -> (n, h, w, c), each channel times a factor plus another."""
    n, c, h, w = x.shape
    y = np.empty((n, h, w, c), x.dtype)
    for k in range(c):
        y[..., k] = x[:, k] * scales[k] + shifts[k]
    return y


@instruction
def move(builder: Builder, to: Value, source: Value, factors: Value) -> None:
    """One float, times the first of two factors plus the second."""
    x = builder.load(pointer(builder, source, F32))
    scale = builder.load(pointer(builder, factors, F32))
    shift = builder.load(pointer(builder, offset(builder, factors, 4), F32))
    builder.store(builder.fadd(builder.fmul(x, scale), shift), pointer(builder, to, F32))


@kernel
def image_input(thread: int, threads: int, x: TensorView, y: TensorView, factors: int) -> None:
    """x.pixel: bytes from a channel to the next. factors: (c, 2), of each channel what it is
    multiplied with, and what is added."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        for k in range(x.c):
            source, to = pixel_at(x, b, row, k), pixel_at(y, b, row, 0) + 4 * k
            for column in range(y.w):
                move(to + column * y.pixel, source + 4 * column, factors + 8 * k)


@dataclass
class ImageInput(Unary):
    """The network's input (n, c, h, w), in rows as a program is given it; perhaps a window of it,
    each channel times a factor plus another."""

    READS = ()
    name = "picture"
    dense: bool = False
    """Whether all readers take channels without padding."""
    top: int = 0
    left: int = 0
    scales: np.ndarray = field(init=False)
    shifts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        channels = self.x.shape[1]
        self.scales, self.shifts = np.ones(channels, np.float32), np.zeros(channels, np.float32)

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.request(self.y).dense = self.dense

    def rows(self, binding: Binding) -> Rows:
        n, c, h, w = self.x.shape
        # the program adds the picture's address
        first = FLOAT * (self.top * w + self.left)
        x = TensorView(first, n, h, w, c, 0, FLOAT * c * h * w, FLOAT * w, FLOAT * h * w)
        factors = binding.floats(np.stack([self.scales, self.shifts], axis=1))
        return [FromInput(image_input.step(x=x, y=binding.place(self.y), factors=factors))]


def match_input(chain: Chain) -> Step | None:
    """With what is subtracted and divided by, and a crop."""
    (x,) = chain.call.arguments
    if x not in chain.lowering.graph.inputs:
        return None
    step = ImageInput(x, chain.call.result)
    standard = chain.next("standardize", lambda call: is_constant(*call.arguments[1:]))
    if standard:
        _, mean, deviation = standard.arguments
        step.scales, step.shifts = 1 / deviation, -mean / deviation
    crop = chain.next("crop", lambda call: not call.arguments[5])
    if crop:
        _, step.top, step.left, _, _, _, scale = crop.arguments
        step.scales, step.shifts = scale * step.scales, scale * step.shifts + (1 - scale)
    step.y = chain.result
    readers = chain.lowering.readers.get(step.y, [])
    windows = "conv2d", "conv2d_backward_weights"
    step.dense = all(call.name in windows and call.arguments[-1] == 1 for call in readers)
    return step


RULES: Rules = {"to_hwc": match_input}
