"""Deltas back through activation, pooling and batch norm, in two passes over the maps.

With z = (x - mean) scale + shift and y = activation(z), d is delta times the activation's slope at
y. The first pass sums d and d (x - mean) for each channel, which gives the updates of biases and
scales and, see batchnorm_backward in ops/normalize.py,

    delta of x = a (d - e) + b (x - mean)

with numbers a, b, e for each channel, which the second pass computes. y is not stored but made
again (`plain`), or made again and pooled, 2x2 pixels to one, delta being that of the pooled map
(`pooled`): it belongs to the first of the largest. Floats are summed over some rows, all else in
doubles.

Where mean and variance are constants, a = scale and b = e = 0. Without batch norm the first pass is
enough: its sums are the updates of biases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Value,
    Vector,
    const,
    fused,
    instruction,
    load,
    offset,
    store,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_slope, share_of_largest, square
from darknet_py.ops.cpu.codegen.float64_sums import (
    DOUBLE,
    TOGETHER,
    Places,
    add_to_doubles,
    clear,
    double_at,
    float_at,
    for_width,
    put_float,
    running,
    width_of,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Epilogue, Kernel, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.match import NORMS_BACKWARD, Chain, Rules, take_accumulation
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, address
from darknet_py.ops.cpu.operations.batchnorm import Normalize, deviation_of
from darknet_py.ops.cpu.operations.elementwise import Site, make_elementwise
from darknet_py.ops.graph import Node, TensorSpec
from darknet_py.ops.normalize import EPSILON

_vector, _length, _together, _epsilon = VECTOR, vector_length(), TOGETHER, EPSILON


def normalize_backward_reference(
    delta: np.ndarray, x: np.ndarray, scales: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The deltas of x (n, h, w, c), and the updates of scales and biases, by the batch's
    statistics."""
    out, updates = np.empty_like(x), np.zeros((2, x.shape[3]))
    for k in range(x.shape[3]):
        d, value = delta[..., k], x[..., k] - x[..., k].mean()
        deviation = np.sqrt((value**2).sum() / (value.size - 1))
        inverse = 1 / (deviation + EPSILON)
        updates[:, k] = (d * value).sum() * inverse, d.sum()
        along = (d * value).sum() * inverse / deviation / (value.size - 1)
        out[..., k] = scales[k] * inverse * (d - d.mean() - value * along)
    return out, updates[0], updates[1]


class Pixel(NamedTuple):
    """A vector of one pixel of x."""

    centered: Vector
    """x - mean."""
    d: Vector


class Operands(NamedTuple):
    """Where a vector's pixel is: addresses; x_row, x_pixel: pitches in bytes, for `pooled`."""

    x: Value
    x_row: Value
    x_pixel: Value
    other: Value
    """The delta."""
    mean: Value
    scale: Value
    shift: Value
    slopes: Value


Pixels = Callable[[Builder, "Operands | Site"], list[Pixel]]


def plain(builder: Builder, at: Operands | Site) -> list[Pixel]:
    """y is made again."""
    value = load(builder, at.x) - load(builder, at.mean)
    z = fused(value, load(builder, at.scale), load(builder, at.shift))
    return [Pixel(value, load(builder, at.other) * emit_slope(z, at.slopes))]


def pooled(builder: Builder, at: Operands | Site) -> list[Pixel]:
    """y is made again, 2x2 pixels: delta is that of the largest, the first where several are."""
    places = square(builder, at.x, at.x_row, at.x_pixel)
    middle, factor, term = (load(builder, each) for each in (at.mean, at.scale, at.shift))
    values = [load(builder, place) - middle for place in places]
    # y rises with z: the largest is at the same place, except where y is 0 throughout, as d then is
    zs = [fused(value, factor, term) for value in values]
    best = zs[0].max(zs[1]).max(zs[2].max(zs[3]))
    d = load(builder, at.other) * emit_slope(best, at.slopes)
    return [Pixel(*pair) for pair in zip(values, share_of_largest(zs, best, d), strict=True)]


# The first pass: sums over the batch.


def make_sums(pixels_of: Pixels) -> Instruction:
    step = const(2 if pixels_of is pooled else 1)

    @instruction
    def add_sums(
        builder: Builder,
        x: Value,
        x_row: Value,
        x_pixel: Value,
        delta: Value,
        delta_row: Value,
        delta_pixel: Value,
        high: Value,
        wide: Value,
        width: Value,
        mean: Value,
        scale: Value,
        shift: Value,
        slopes: Value,
        sums: Value,
        products: Value,
    ) -> None:
        """Adds d of high x wide pixels to sums, d (x - mean) to products (doubles)."""
        maps = [
            (x, builder.mul(x_row, step), builder.mul(x_pixel, step)),
            (delta, delta_row, delta_pixel),
        ]

        def add(vectors: int) -> None:
            totals = running(builder, 2 * vectors)
            with Places(builder, (high, wide), maps) as places:
                old, new = totals.get(), []
                for j in range(vectors):
                    at = VECTOR * j
                    x_at, delta_at = (offset(builder, place, at) for place in places)
                    channels = [offset(builder, each, at) for each in (mean, scale, shift)]
                    total, product = old[2 * j], old[2 * j + 1]
                    here = Operands(x_at, x_row, x_pixel, delta_at, *channels, slopes)  # type: ignore[call-arg]
                    for pixel in pixels_of(builder, here):
                        total = total + pixel.d
                        product = fused(pixel.d, pixel.centered, product)
                    new += [total, product]
                totals.set(new)
            for j in range(vectors):
                at = j * _length * DOUBLE
                add_to_doubles(totals.get()[2 * j], offset(builder, sums, at))
                add_to_doubles(totals.get()[2 * j + 1], offset(builder, products, at))

        for_width(builder, width, add)

    return add_sums


def make_backward_sums(pixels_of: Pixels) -> Kernel:
    add_sums = make_sums(pixels_of)
    step = 2 if pixels_of is pooled else 1

    def backward_sums(
        thread: int,
        threads: int,
        x: TensorView,
        delta: TensorView,
        channels: ChannelArrays,
        slopes: int,
        sums: int,
        sums_size: int,
    ) -> None:
        """Each thread's sums of d and of d (x - mean): sums_size bytes a thread."""
        h, vectors = delta.h, x.vectors
        sums += thread * sums_size
        products = sums + 2 * vectors * _vector
        clear(sums, 4 * vectors * _vector)
        number, last = delta.n * h * thread // threads, delta.n * h * (thread + 1) // threads
        together = max(_together // delta.w, 1)
        while number < last:
            b = number // h
            row = number - b * h
            high = min(together, last - number, h - row)
            x_at, delta_at = pixel_at(x, b, step * row, 0), pixel_at(delta, b, row, 0)
            v = 0
            while v < vectors:
                at = v * _vector
                width = width_of(vectors - v)
                add_sums(
                    x_at + at,
                    x.row,
                    x.pixel,
                    delta_at + at,
                    delta.row,
                    delta.pixel,
                    high,
                    delta.w,
                    width,
                    channels.mean + at,
                    channels.scale + at,
                    channels.shift + at,
                    slopes,
                    sums + 2 * at,
                    products + 2 * at,
                )
                v += width
            number += high

    backward_sums.__name__ = f"backward_sums_{pixels_of.__name__}"
    return kernel(backward_sums)


backward_sums_plain, backward_sums_pooled = make_backward_sums(plain), make_backward_sums(pooled)


@kernel
def finish_backward_sums(
    thread: int,
    threads: int,
    sums: int,
    sums_size: int,
    count: int,
    c: int,
    vectors: int,
    variance: int,
    scales: int,
    scale_updates: int,
    bias_updates: int,
    channels: ChannelArrays,
    fixed: int,
) -> None:
    """Adds the updates, (c,), and makes a, b and e, padded. bias_updates: 0 for none.

    sums: of as many threads as do this. count: values of x in a channel. fixed: 1 where mean and
    variance are constants, and not the batch's: b and e are 0.
    """
    of_batch = 0.0 if fixed != 0 else 1.0
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total, product = 0.0, 0.0
        for t in range(threads):
            place = sums + t * sums_size + 8 * k
            total += double_at(place)
            product += double_at(place + 2 * vectors * _vector)
        at = 4 * k
        deviation = deviation_of(float_at(variance + at))
        inverse = 1 / (deviation + _epsilon)
        factor = float_at(scales + at) * inverse
        spread = (deviation if deviation > 0 else 1.0) * max(count - 1, 1)
        put_float(channels.a + at, factor)
        put_float(channels.b + at, -of_batch * factor * inverse * product / spread)
        put_float(channels.e + at, of_batch * total / count)
        put_float(scale_updates + at, float_at(scale_updates + at) + product * inverse)
        if bias_updates != 0:
            put_float(bias_updates + at, float_at(bias_updates + at) + total)
    if thread == threads - 1:
        for k in range(c, vectors * _length):
            put_float(channels.a + 4 * k, 0.0)
            put_float(channels.b + 4 * k, 0.0)
            put_float(channels.e + 4 * k, 0.0)


@kernel
def add_bias_updates(
    thread: int, threads: int, sums: int, sums_size: int, c: int, bias_updates: int
) -> None:
    """bias_updates (c,) += the sums of d of as many threads as do this."""
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total = 0.0
        for t in range(threads):
            total += double_at(sums + t * sums_size + 8 * k)
        put_float(bias_updates + 4 * k, float_at(bias_updates + 4 * k) + total)


def backward_sums_size(vectors: int) -> int:
    """Bytes of a thread's sums."""
    return 2 * DOUBLE * _length * vectors


# The second pass.


def make_backward(pixels_of: Pixels) -> Kernel:
    def emit(builder: Builder, at: Site) -> None:
        """y = a (d - e) + b (x - mean); other: the delta."""
        pixels = pixels_of(builder, at)
        of_d, of_x, middle = (load(builder, place) for place in (at.a, at.b, at.e))
        outs = square(builder, at.y, at.y_row, at.y_pixel)
        for pixel, place in zip(pixels, outs, strict=False):
            store(fused(pixel.d - middle, of_d, pixel.centered * of_x), place)

    step = 2 if pixels_of is pooled else 1
    return make_elementwise(f"backward_{pixels_of.__name__}", emit, x_step=step, y_step=step)


backward_plain, backward_pooled = make_backward(plain), make_backward(pooled)


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
        return threads * backward_sums_size(-(-self.norm.x.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        norm = self.norm
        x, delta, out = (binding.place(each) for each in (norm.x, self.delta, self.out))
        a, b, e = (int(part.ctypes.data) for part in np.split(binding.room(3 * padded(x.c)), 3))
        channels = norm.channels(binding)._replace(a=a, b=b, e=e)
        slopes = binding.floats(SLOPES[self.activation])
        sums = binding.scratch.ctypes.data
        size = backward_sums_size(x.vectors)
        scale_updates = self.scale_updates
        if scale_updates is None:
            scale_updates = binding.room(padded(x.c))
        first = backward_sums_pooled if self.pooled else backward_sums_plain
        second = backward_pooled if self.pooled else backward_plain
        return [
            first.step(
                x=x, delta=delta, channels=channels, slopes=slopes, sums=sums, sums_size=size
            ),
            finish_backward_sums.step(
                sums=sums,
                sums_size=size,
                count=x.n * x.h * x.w,
                c=x.c,
                vectors=x.vectors,
                variance=binding.place(norm.variance).address,
                scales=address(norm.scales),
                scale_updates=address(scale_updates),
                bias_updates=address(self.bias_updates),
                channels=channels,
                fixed=int(norm.fixed),
            ),
            second.step(
                x=x, other=delta, y=out, channels=channels, epilogue=Epilogue(slopes=slopes)
            ),
        ]


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
        return threads * backward_sums_size(-(-self.delta.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        delta = binding.place(self.delta)
        zeros = int(binding.room(padded(delta.c)).ctypes.data)
        room = {"sums": binding.scratch.ctypes.data, "sums_size": backward_sums_size(delta.vectors)}
        channels = ChannelArrays(zeros, zeros, zeros)
        slopes = binding.floats(SLOPES["linear"])
        return [
            backward_sums_plain.step(
                x=delta, delta=delta, channels=channels, slopes=slopes, **room
            ),
            add_bias_updates.step(c=delta.c, bias_updates=address(self.updates), **room),
        ]


def match_norm_backward(chain: Chain) -> Step | None:
    """With the deltas before it, of pooling and activation. Only where the forward is a step,
    too."""
    lowering = chain.lowering
    call: Node | None = chain.call
    assert call is not None
    activation, pooled = "linear", call.name == "maxpool_backward"
    if pooled:
        if call.arguments[1] not in lowering.pooled:
            return None
        call = chain.next("activate_backward", lambda call: True) or _next_norm(
            chain, lambda call: True
        )
        assert call is not None
    if call.name == "activate_backward":
        _, y, activation = call.arguments
        if not pooled and activation not in SLOPES:
            return None
        call = _next_norm(
            chain, lambda call: pooled or _is_of(lowering.norms, call.arguments[1], y)
        )
        if call is None:
            return None
    norm = lowering.norms.get(call.arguments[1])
    if norm is None:
        return None
    out, scale_updates, bias_updates = call.results
    arrays = [_updates(chain, result) for result in (scale_updates, bias_updates)]
    return NormalizeBackward(norm, chain.call.arguments[0], out, activation, pooled, *arrays)


def _is_of(norms: dict[TensorSpec, Normalize], x: TensorSpec, y: TensorSpec) -> bool:
    """Whether y is x normalised and activated, and nothing else."""
    norm = norms.get(x)
    return norm is not None and norm.y is y and norm.residual is None and not norm.pooled


def _next_norm(chain: Chain, accept: Callable[[Node], bool]) -> Node | None:
    found = (chain.next(name, accept) for name in NORMS_BACKWARD)
    return next((call for call in found if call is not None), None)


def _updates(chain: Chain, result: TensorSpec) -> np.ndarray | None:
    """The array to which a result is added; nobody else may read it."""
    call = chain.lowering.only_reader(result)
    if call is None or call.name != "accumulate":
        return None
    chain.take(call)
    updates: np.ndarray = call.arguments[0]
    return updates


def match_biases(chain: Chain) -> Step | None:
    updates = take_accumulation(chain)
    return None if updates is None else BiasGradient(chain.call.arguments[0], updates)


RULES: Rules = {
    "activate_backward": match_norm_backward,
    "batchnorm_backward": match_norm_backward,
    "batchnorm_fixed_backward": match_norm_backward,
    "maxpool_backward": match_norm_backward,
    "biases_backward": match_biases,
}
