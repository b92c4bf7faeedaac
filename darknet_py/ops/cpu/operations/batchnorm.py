"""Batch norm in training: y = activation((x - mean) scale + shift), of the batch or of fixed
statistics.

Statistics take one pass: each thread sums x - base and its square over its rows, `base` being the
mean of one row from the middle of the first picture. So the mean that is left is no larger than
the deviation, and the difference of squares loses nothing. Floats are summed over some rows, all
else in doubles.

The mean is subtracted before the scale, which may be a million: so a constant channel gives 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Part,
    Places,
    Value,
    Variables,
    Vector,
    const,
    fused,
    instruction,
    load,
    offset,
    spread,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_activation, emit_residual, square
from darknet_py.ops.cpu.codegen.float64_sums import (
    DOUBLE,
    TOGETHER,
    add_to_doubles,
    clear,
    double_at,
    float_at,
    for_width,
    put_float,
    width_of,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Epilogue, TensorView, kernel, part
from darknet_py.ops.cpu.codegen.tile import FLOAT, VECTOR
from darknet_py.ops.cpu.compile.allocate import Memory
from darknet_py.ops.cpu.compile.match import (
    NORMS_BACKWARD,
    Chain,
    Rules,
    take_activation,
    take_pooling,
    take_residual,
)
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, address
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.execution import joined_name
from darknet_py.ops.fusion import is_constant
from darknet_py.ops.graph import TensorSpec
from darknet_py.ops.normalize import EPSILON, Epsilon

_length = vector_length()


def statistics_reference(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (c,) and unbiased variance (c,) of x (n, h, w, c)."""
    rows = x.reshape(-1, x.shape[3]).astype(np.float64)
    total, squares = np.zeros(x.shape[3]), np.zeros(x.shape[3])
    for row in rows:
        total += row
    for row in rows:
        squares += (row - total / len(rows)) ** 2
    return total / len(rows), squares / max(len(rows) - 1, 1)


def normalize_reference(
    x: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    scales: np.ndarray,
    biases: np.ndarray,
    epsilon: Epsilon = EPSILON,
) -> np.ndarray:
    """(x - mean) / (sqrt(variance + epsilon.variance) + epsilon.deviation) scales + biases."""
    y = np.empty_like(x)
    for k in range(x.shape[3]):
        scale = scales[k] / (math.sqrt(max(variance[k], 0) + epsilon.variance) + epsilon.deviation)
        y[..., k] = (x[..., k] - mean[k]) * scale + biases[k]
    return y


class Pixel(NamedTuple):
    """A vector of one pixel of x: x - mean, and d, what is summed."""

    centered: Vector
    d: Vector


Pixels = Callable[[Builder, Site], list[Pixel]]


def make_channel_sums(pixels: Pixels, step: int = 1) -> Part:
    """Sums of d and of d (x - mean) for each channel. step: 2 where a pixel of delta stands for 2x2
    of x, and `pixels` gives four for each."""

    @instruction
    def add_sums(
        builder: Builder,
        places: tuple[Value, ...],
        x: TensorView,
        delta: TensorView,
        channels: ChannelArrays,
        epilogue: Epilogue,
        at: Value,
        high: Value,
        width: Value,
    ) -> None:
        """Of `high` rows of `width` vectors, which begin `at` bytes into a pixel."""
        x_at, delta_at, sums, products = places
        arrays = [builder.add(each, at) for each in channels]
        x_pitches = (builder.mul(pitch, const(step)) for pitch in (x.row, x.pixel))
        maps = [(x_at, *x_pitches), (delta_at, delta.row, delta.pixel)]

        def add(vectors: int) -> None:
            totals = Variables(builder, [zero(builder)] * (2 * vectors))
            with Places(builder, (high, delta.w), maps) as pixel_places:
                old, new = totals.get(), []
                for j in range(vectors):
                    x_here, here, *mine = (
                        offset(builder, each, VECTOR * j) for each in (*pixel_places, *arrays)
                    )
                    site = Site(x_here, here, here, x, delta, ChannelArrays(*mine), epilogue)
                    total, product = old[2 * j], old[2 * j + 1]
                    for pixel in pixels(builder, site):
                        total = total + pixel.d
                        product = fused(pixel.d, pixel.centered, product)
                    new += [total, product]
                totals.set(new)
            for i, total in enumerate(totals.get()):
                of_vector = i // 2 * _length * DOUBLE
                add_to_doubles(total, offset(builder, (sums, products)[i % 2], of_vector))

        for_width(builder, width, add)

    @part
    def channel_sums(thread, threads, x, delta, channels, epilogue, sums):  # type: ignore[no-untyped-def]
        """Of the rows that are this thread's, in doubles: first the sums, then the products."""
        h, vectors = delta.h, x.vectors
        products = sums + 2 * vectors * VECTOR
        clear(sums, 4 * vectors * VECTOR)
        number, last = delta.n * h * thread // threads, delta.n * h * (thread + 1) // threads
        together = max(TOGETHER // delta.w, 1)
        while number < last:
            b = number // h
            row = number - b * h
            high = min(together, last - number, h - row)
            x_at, delta_at = pixel_at(x, b, step * row, 0), pixel_at(delta, b, row, 0)
            v = 0
            while v < vectors:
                at = v * VECTOR
                width = width_of(vectors - v)
                places = x_at + at, delta_at + at, sums + 2 * at, products + 2 * at
                add_sums(places, x, delta, channels, epilogue, at, high, width)
                v += width
            number += high

    return channel_sums


def from_base(builder: Builder, at: Site) -> list[Pixel]:
    """x - base, and its square."""
    value = load(builder, at.x) - load(builder, at.channels.mean)
    return [Pixel(value, value)]


sums_from_base = make_channel_sums(from_base)


@instruction
def mean_of_row(builder: Builder, x: Value, pixel: Value, count: Value, out: Value) -> None:
    total = Variables(builder, [zero(builder)])
    with Places(builder, (pixel.type(1), count), [(x, pixel, pixel)]) as (place,):
        total.set([total.get()[0] + load(builder, place)])
    store(total.get()[0] / spread(builder, builder.sitofp(count, F32)), out)


@kernel
def statistics(thread: int, threads: int, x: TensorView, sums: int, sums_size: int) -> None:
    """Each thread's sums of its rows: sums_size bytes a thread, for (base, sums, squares)."""
    sums += thread * sums_size
    for v in range(x.vectors):
        at = v * VECTOR
        mean_of_row(pixel_at(x, 0, x.h // 2, 0) + at, x.pixel, x.w, sums + at)
    base = ChannelArrays(sums, 0, 0, 0, 0, 0)
    sums_from_base(thread, threads, x, x, base, Epilogue(0, 0, 0, 0, 0), sums + x.vectors * VECTOR)


class NormArrays(NamedTuple):
    """Addresses of a normalisation's arrays of a float a channel: those of `vectors` beyond c get
    zeros, but rolling_*, scales and biases are (c,); 0: not there. rolling_*: 0 if they stay.
    numbers: of three floats, the two of Epsilon and what a rolling average takes of a batch."""

    c: int
    vectors: int
    mean: int
    variance: int
    rolling_mean: int
    rolling_variance: int
    scales: int
    biases: int
    scale: int
    shift: int
    numbers: int


@kernel
def finish_statistics(
    thread: int, threads: int, sums: int, sums_size: int, count: int, norm: NormArrays
) -> None:
    """mean, variance, rolling averages; scale and shift, with which y = (x - mean) scale + shift.

    sums: of as many threads as do this. count: values in a channel.
    """
    for k in range(norm.c * thread // threads, norm.c * (thread + 1) // threads):
        total, squares = 0.0, 0.0
        for t in range(threads):
            place = sums + t * sums_size + norm.vectors * VECTOR + 8 * k
            total += double_at(place)
            squares += double_at(place + 2 * norm.vectors * VECTOR)
        rest = total / count
        at = 4 * k
        put_float(norm.mean + at, float_at(sums + at) + rest)
        put_float(norm.variance + at, max(squares - rest * total, 0.0) / max(count - 1, 1))
        if norm.rolling_mean != 0:
            taken = float_at(norm.numbers + 8)
            _roll(norm.rolling_mean + at, float_at(norm.mean + at), taken)
            _roll(norm.rolling_variance + at, float_at(norm.variance + at), taken)
        _put_coefficients(norm, at)
    _clear_padding(thread, threads, norm)


@kernel
def fixed_statistics(thread: int, threads: int, norm: NormArrays) -> None:
    """The same where mean and variance are known, the rolling ones, which stay."""
    for k in range(norm.c * thread // threads, norm.c * (thread + 1) // threads):
        put_float(norm.mean + 4 * k, float_at(norm.rolling_mean + 4 * k))
        put_float(norm.variance + 4 * k, float_at(norm.rolling_variance + 4 * k))
        _put_coefficients(norm, 4 * k)
    _clear_padding(thread, threads, norm)


@part
def _roll(rolling, value, taken):  # type: ignore[no-untyped-def]
    put_float(rolling, (1.0 - taken) * float_at(rolling) + taken * value)


@part
def deviation_of(variance, numbers):  # type: ignore[no-untyped-def]
    """As ops.normalize.deviation: rolling variances may be a hair below 0. numbers: the address of
    an Epsilon's two floats."""
    return math.sqrt((0.0 if variance < 0 else variance) + float_at(numbers))


@part
def _put_coefficients(norm, at):  # type: ignore[no-untyped-def]
    divisor = deviation_of(float_at(norm.variance + at), norm.numbers) + float_at(norm.numbers + 4)
    put_float(norm.scale + at, float_at(norm.scales + at) / divisor)
    put_float(norm.shift + at, float_at(norm.biases + at) if norm.biases != 0 else 0.0)


@part
def _clear_padding(thread, threads, norm):  # type: ignore[no-untyped-def]
    if thread == threads - 1:
        for k in range(norm.c, norm.vectors * _length):
            put_float(norm.mean + 4 * k, 0.0)
            put_float(norm.variance + 4 * k, 0.0)
            put_float(norm.scale + 4 * k, 0.0)
            put_float(norm.shift + 4 * k, 0.0)


def statistics_size(vectors: int) -> int:
    """Bytes of a thread's sums."""
    return (FLOAT + 2 * DOUBLE) * _length * vectors


def emit_normalize(builder: Builder, at: Site) -> None:
    """y = activation((x - mean) scale + shift [+ residual]) [+ residual_after]."""
    mean, scale, shift, *_ = at.channels
    centered = load(builder, at.x) - load(builder, mean)
    sums = [[fused(centered, load(builder, scale), load(builder, shift))]]
    sums = emit_residual(builder, at.epilogue.residual, [at.y], sums)
    sums = [emit_activation(builder, at.epilogue.slopes, sums[0])]
    sums = emit_residual(builder, at.epilogue.residual_after, [at.y], sums)
    store(sums[0][0], at.y)


def emit_normalize_pooled(builder: Builder, at: Site) -> None:
    """The largest of 2x2 pixels of x."""
    mean, scale, shift, *_ = (load(builder, each) for each in at.channels)
    places = square(builder, at.x, at.x_map)
    values = [fused(load(builder, place) - mean, scale, shift) for place in places]
    best = values[0].max(values[1]).max(values[2].max(values[3]))
    store(emit_activation(builder, at.epilogue.slopes, [best])[0], at.y)


normalize = make_elementwise("normalize", emit_normalize)
normalize_pooled = make_elementwise("normalize_pooled", emit_normalize_pooled, x_step=2)


@dataclass
class Normalize(Step):
    """y = activation(norm(x) [+ residual]) [+ residual_after], [2x2 maxpool]; see ops.batchnorm.

    mean, variance, scale, shift: maps (c,) that it writes; norm(x) is (x - mean) scale + shift.
    rolling: averages that it updates, by `taken` of a batch; fixed: they stay, and are mean and
    variance.
    """

    x: TensorSpec
    y: TensorSpec
    mean: TensorSpec
    variance: TensorSpec
    scales: np.ndarray
    biases: np.ndarray | None
    epsilon: Epsilon = EPSILON
    rolling: tuple[np.ndarray, np.ndarray] | None = None
    taken: float = 0.0
    fixed: bool = False
    activation: str = "linear"
    residual: TensorSpec | None = None
    residual_after: TensorSpec | None = None
    pooled: bool = False
    scale: TensorSpec = field(init=False)
    shift: TensorSpec = field(init=False)

    def __post_init__(self) -> None:
        self.scale = TensorSpec(self.mean.shape, self.mean.tracer)
        self.shift = TensorSpec(self.mean.shape, self.mean.tracer)

    @property
    def residuals(self) -> list[TensorSpec]:
        return [x for x in (self.residual, self.residual_after) if x is not None]

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.x, *self.residuals]

    @property
    def writes(self) -> list[TensorSpec]:
        return [self.y, self.mean, self.variance, self.scale, self.shift]

    @property
    def name(self) -> str:
        pooled = "maxpool" if self.pooled else ""
        return joined_name("batchnorm", self.activation, "add" if self.residuals else "", pooled)

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.same_layout += [(x, self.y) for x in self.residuals]

    def scratch(self, threads: int) -> int:
        return threads * statistics_size(-(-self.x.shape[3] // 4) + 4)

    def channels(self, binding: Binding) -> ChannelArrays:
        """Mean, scale and shift."""
        maps = self.mean, self.scale, self.shift
        return ChannelArrays(*(binding.place(each).address for each in maps))

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        mean, scale, shift, *_ = channels = self.channels(binding)
        norm = NormArrays(
            x.c,
            x.vectors,
            mean,
            binding.place(self.variance).address,
            address(self.rolling and self.rolling[0]),
            address(self.rolling and self.rolling[1]),
            address(self.scales),
            address(self.biases),
            scale,
            shift,
            binding.floats((self.epsilon.variance, self.epsilon.deviation, self.taken)),
        )
        epilogue = Epilogue(
            slopes=binding.floats(SLOPES[self.activation]),
            residual=binding.difference(self.residual, y),
            residual_after=binding.difference(self.residual_after, y),
        )
        apply = normalize_pooled if self.pooled else normalize
        last = elementwise_row(apply, x, y, channels=channels, epilogue=epilogue)
        if self.fixed:
            return [fixed_statistics.step(norm=norm), last]
        size = statistics_size(x.vectors)
        sums = {"sums": binding.scratch.ctypes.data, "sums_size": size}
        count = x.n * x.h * x.w
        return [
            statistics.step(x=x, **sums),
            finish_statistics.step(count=count, norm=norm, **sums),
            last,
        ]


def match_statistics(chain: Chain) -> Step | None:
    """Statistics, rolling averages and the normalisation by them."""
    (x,) = chain.call.arguments
    mean, variance = chain.call.results
    lowering = chain.lowering
    readers = [*lowering.readers.get(mean, []), *lowering.readers.get(variance, [])]
    norms = [call for call in readers if call.name == "batchnorm" and call.arguments[0] is x]
    if not norms or not {mean, variance}.isdisjoint(lowering.outputs):
        return None
    _, scales, biases, _, _, epsilon = norms[0].arguments
    averages = {call.arguments[1]: call for call in readers if call.name == "moving_average"}
    rolling, taken = None, 0.0
    if averages:
        rolling = averages[mean].arguments[0], averages[variance].arguments[0]
        taken = averages[mean].arguments[2]
    for call in (norms[0], *averages.values()):
        chain.take(call)
    chain.y = norms[0].result
    step = Normalize(x, chain.y, mean, variance, scales, biases, epsilon, rolling, taken)
    return _fused(chain, step)


def match_fixed(chain: Chain) -> Step | None:
    """Normalisation by rolling statistics where scales learn; where they do not, it is part of a
    convolution, or Fallback."""
    x, scales, biases, mean, variance, epsilon = chain.call.arguments
    readers = chain.lowering.readers.get(x, [])
    learns = any(call.name == "batchnorm_fixed_backward" for call in readers)
    if not learns or not is_constant(scales, biases, mean, variance):
        return None
    chain.y = chain.call.result
    one, other = TensorSpec(mean.shape, x.tracer), TensorSpec(mean.shape, x.tracer)
    rolling = mean, variance
    step = Normalize(x, chain.y, one, other, scales, biases, epsilon, rolling, fixed=True)
    return _fused(chain, step)


def _fused(chain: Chain, step: Normalize) -> Step:
    """A normalisation with whatever may be fused into it."""
    step.activation = take_activation(chain)
    if not _take_pooling_both_ways(chain, step):
        step.activation, step.residual, step.residual_after = take_residual(chain, step.activation)
        step.pooled = not step.residuals and take_pooling(chain)
    step.y = chain.result
    chain.lowering.norms[step.x] = step
    return step


def _take_pooling_both_ways(chain: Chain, step: Normalize) -> bool:
    """Pooling whose input only the deltas through pooling, activation and norm read."""
    lowering, y = chain.lowering, chain.result
    _, h, w, _ = y.shape
    readers = {call.name: call for call in lowering.readers.get(y, [])}
    forward, back = readers.get("maxpool"), readers.get("maxpool_backward")
    if forward is None or back is None or y in lowering.outputs:
        return False
    expected = {"maxpool", "maxpool_backward"}
    last = back
    if step.activation != "linear":
        expected.add("activate_backward")
        activation = lowering.only_reader(back.result)
        if activation is None or activation is not readers.get("activate_backward"):
            return False
        last = activation
    norm = lowering.only_reader(last.result)
    is_square = forward.arguments[1:3] == (2, 2) and forward.result.shape[1:3] == (h / 2, w / 2)
    is_alone = readers.keys() == expected and len(lowering.readers[y]) == len(expected)
    if not (is_square and is_alone and norm and norm.name in NORMS_BACKWARD):
        return False
    if norm.arguments[1] is not step.x:
        return False
    step.pooled = True
    lowering.pooled.add(y)
    chain.take(forward)
    chain.y = forward.result
    return True


RULES: Rules = {"batch_statistics": match_statistics, "batchnorm": match_fixed}
