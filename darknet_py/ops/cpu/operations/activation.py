"""Activations that are not piecewise linear through 0, which elementwise.py and the epilogues of
convolutions have: a kernel for each, compiled where a network has it; and those over all channels
of a pixel. In place where nothing else reads what they are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from darknet_py.ops import activations
from darknet_py.ops.activations import CHANNELWISE
from darknet_py.ops.cpu.codegen.emit import Builder, Vector, load, store, where, zero
from darknet_py.ops.cpu.codegen.float64_sums import float_at, put_float
from darknet_py.ops.cpu.codegen.functions import (
    clipped,
    expm1,
    floor,
    logistic,
    magnitude,
    number,
    tanh,
)
from darknet_py.ops.cpu.codegen.functions import exp as exp_of
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Kernel, TensorView, kernel
from darknet_py.ops.cpu.compile.allocate import Alias, padded
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, Unary
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.graph import TensorSpec

Function = Callable[[Vector], Vector]


def activate_reference(x: np.ndarray, activation: str) -> np.ndarray:
    """Each pixel's channels by themselves."""
    y = np.empty_like(x)
    for i in np.ndindex(x.shape[:-1]):
        y[i] = activations.activate(x[i].astype("d"), activation)
    return y


def _not_below(x: Vector) -> Vector:
    return where(x < -1000.0, number(x, -1000.0), x)


def _one(x: Vector) -> Vector:
    return number(x, 1.0)


def _elu(x: Vector) -> Vector:
    return where(x > 0.0, x, expm1(x))


def _selu(x: Vector) -> Vector:
    return where(x > 0.0, x * 1.0507, expm1(x) * (1.0507 * 1.6732))


def _stair(x: Vector) -> Vector:
    whole, half = floor(x), floor(x * 0.5)
    is_odd = (whole - half * 2.0) > 0.5
    return half + where(is_odd, x - whole, zero(x.builder, x.length))


def _lhtan(x: Vector) -> Vector:
    return where(x < 0.0, x * 0.001, where(x > 1.0, (x - 1.0) * 0.001 + 1.0, x))


def _plse(x: Vector) -> Vector:
    middle = where(x > 4.0, (x - 4.0) * 0.01 + 1.0, x * 0.125 + 0.5)
    return where(x < -4.0, (x + 4.0) * 0.01, middle)


def _mish_parts(x: Vector) -> tuple[Vector, Vector]:
    small = exp_of(magnitude(x) * -1.0)
    above, below = small * 2.0 + 1.0, small * (small + 2.0)
    return where(x > 0.0, above, below), where(x > 0.0, small * small * 2.0, number(x, 2.0))


def _mish(x: Vector) -> Vector:
    numerator, rest = _mish_parts(x)
    return _not_below(x) * (numerator / (numerator + rest))


def _mish_slope(x: Vector) -> Vector:
    numerator, rest = _mish_parts(x)
    total = numerator + rest
    slope = rest * (total + numerator) / (total * total)
    return numerator / total + clipped(x, -1000, 1000) * slope * logistic(x)


def _swish_slope(x: Vector) -> Vector:
    share = logistic(x)
    return share + clipped(x, -1000, 1000) * share * (_one(x) - share)


def _hard_mish(x: Vector) -> Vector:
    near = clipped(x, -2.0, 0.0)
    return where(x > 0.0, x, near * near * 0.5 + near)


def _hard_mish_slope(x: Vector) -> Vector:
    return where(x < -2.0, zero(x.builder, x.length), clipped(x + 1.0, -1.0, 1.0))


def _gelu_share(near: Vector) -> Vector:
    return logistic(near * 2.0 * (near * near * 0.035677 + 0.797885))


def _gelu(x: Vector) -> Vector:
    return _not_below(x) * _gelu_share(clipped(x, -1000, 1000))


def _gelu_slope(x: Vector) -> Vector:
    near = clipped(x, -1000, 1000)
    share, inner = _gelu_share(near), near * near * (3 * 0.035677) + 0.797885
    return share + near * 2.0 * share * (_one(x) - share) * inner


def _between(y: Vector, low: float, high: float, inside: float, outside: float) -> Vector:
    """One number strictly between two, another elsewhere."""
    out = number(y, outside)
    return where(y > low, where(y < high, number(y, inside), out), out)


def _stair_slope(y: Vector) -> Vector:
    return where(floor(y) == y, zero(y.builder, y.length), _one(y))


def _plse_slope(y: Vector) -> Vector:
    steep, flat = number(y, 0.125), number(y, 0.01)
    return where(y < 0.0, flat, where(y > 1.0, flat, steep))


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "logistic": (logistic, lambda y: (_one(y) - y) * y),
    "loggy": (lambda x: tanh(x * 0.5), lambda y: (_one(y) - y) * (y + 1.0) * 0.5),
    "tanh": (tanh, lambda y: _one(y) - y * y),
    "elu": (_elu, lambda y: where(y < 0.0, y + 1.0, _one(y))),
    "selu": (_selu, lambda y: where(y < 0.0, y + 1.0507 * 1.6732, number(y, 1.0507))),
    "stair": (_stair, _stair_slope),
    "hardtan": (lambda x: clipped(x, -1.0, 1.0), lambda y: _between(y, -1, 1, 1, 0)),
    "lhtan": (_lhtan, lambda y: _between(y, 0, 1, 1, 0.001)),
    "plse": (_plse, _plse_slope),
    "relu6": (lambda x: clipped(x, 0.0, 6.0), lambda y: _between(y, 0, 6, 1, 0)),
    "swish": (lambda x: _not_below(x) * logistic(x), _swish_slope),
    "mish": (_mish, _mish_slope),
    "hard_mish": (_hard_mish, _hard_mish_slope),
    "gelu": (_gelu, _gelu_slope),
}
"""As activations.POINTWISE: the function, and its slope by output, or by input."""

_NOT_ZERO = ("logistic", "plse")
"""Those that are not 0 at 0: the zeros that pad the channels have to be put back."""


@cache
def forward_kernel(activation: str) -> Kernel:
    """y = activation(x). channels.scale: 1 for each channel, where it is not 0 at 0."""

    def emit(builder: Builder, at: Site) -> None:
        y = FUNCTIONS[activation][0](load(builder, at.x))
        if activation in _NOT_ZERO:
            y = y * load(builder, at.channels.scale)
        store(y, at.y)

    return make_elementwise(f"activate_{activation}", emit)


@cache
def backward_kernel(activation: str) -> Kernel:
    """x: a delta; other: what `saved_of` gives."""

    def emit(builder: Builder, at: Site) -> None:
        store(load(builder, at.x) * FUNCTIONS[activation][1](load(builder, at.other)), at.y)

    return make_elementwise(f"activate_backward_{activation}", emit)


POSITIVE, SOFTMAX, MAXVAL = range(3)
"""The ways of CHANNELWISE, in its order."""


@kernel
def normalize_channels(thread: int, threads: int, x: TensorView, y: TensorView, way: int) -> None:
    """Of each pixel its values, positive or as powers, over (their sum + 1e-4)."""
    rows = x.n * x.h
    for number_of in range(rows * thread // threads, rows * (thread + 1) // threads):
        picture = number_of // x.h
        row = number_of - picture * x.h
        for column in range(x.w):
            here, to = pixel_at(x, picture, row, column), pixel_at(y, picture, row, column)
            largest = 0.0
            if way == MAXVAL:
                largest = float_at(here)
            if way != POSITIVE:
                for k in range(x.c):
                    value = float_at(here + 4 * k)
                    if value > largest:
                        largest = value
            total = 1e-4
            if way == SOFTMAX:
                total *= math.exp(-largest)
            for k in range(x.c):
                value = float_at(here + 4 * k)
                if way != POSITIVE:
                    value = math.exp(value - largest)
                elif value < 0:
                    value = 0.0
                put_float(to + 4 * k, value)
                total += value
            for k in range(x.c):
                put_float(to + 4 * k, float_at(to + 4 * k) / total)


@dataclass
class ActivateByFunction(Unary):
    """y = activation(x), which may lie in one place."""

    activation: str

    @property
    def name(self) -> str:
        return "activate"

    @property
    def algorithm(self) -> str:
        return self.activation

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        if self.activation in CHANNELWISE:
            way = list(CHANNELWISE).index(self.activation)
            return [normalize_channels.step(x=x, y=y, way=way)]
        channels = ChannelArrays()
        if self.activation in _NOT_ZERO:
            channels = ChannelArrays(scale=binding.floats(np.arange(padded(x.c)) < x.c))
        return [elementwise_row(forward_kernel(self.activation), x, y, channels=channels)]


@dataclass
class ActivateByFunctionBackward(Step):
    """delta times the activation's slope: see ops.activate_backward."""

    READS, WRITES = ("delta", "saved"), ("out",)
    delta: TensorSpec
    saved: TensorSpec
    out: TensorSpec
    activation: str

    @property
    def name(self) -> str:
        return f"delta {self.activation}"

    def rows(self, binding: Binding) -> Rows:
        delta, saved, out = (binding.place(each) for each in (self.delta, self.saved, self.out))
        return [elementwise_row(backward_kernel(self.activation), delta, out, saved)]


def match_activate(chain: Chain) -> Step | None:
    x, activation = chain.call.arguments
    if activation not in FUNCTIONS and activation not in CHANNELWISE:
        return None
    y, lowering = chain.call.result, chain.lowering
    is_made_here = lowering.writer[x] >= 0 and x not in lowering.aliases
    if is_made_here and lowering.only_reader(x) is chain.call and not lowering.changing:
        lowering.aliases[x] = Alias(y)
    return ActivateByFunction(x, y, activation)


def match_activate_backward(chain: Chain) -> Step | None:
    delta, saved, activation = chain.call.arguments
    if activation not in FUNCTIONS:
        return None
    return ActivateByFunctionBackward(delta, saved, chain.call.result, activation)


RULES: Rules = {"activate": match_activate, "activate_backward": match_activate_backward}
