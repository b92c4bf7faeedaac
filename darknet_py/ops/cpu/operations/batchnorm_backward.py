"""The backward of activation, pooling and batch norm, in two passes over the maps.

With z = (x - mean) scale + shift and y = activation(z), d is delta times the activation's slope at
y. The first pass sums d and d (x - mean) for each channel, which gives the updates of biases and
scales and, see batchnorm_backward in ops/normalize.py,

    delta of x = a (d - e) + b (x - mean)

with numbers a, b, e for each channel, which the second pass computes. y is not stored but
recomputed (`plain`), or recomputed and pooled, 2x2 pixels to one, delta being that of the pooled
map (`pooled`): it goes to the first of the largest. Floats are summed over some rows, all else in
doubles.

Where mean and variance are constants, a = scale and b = e = 0. Without batch norm the first pass is
enough: its sums are the updates of biases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.emit import Builder, fused, load, store
from darknet_py.ops.cpu.codegen.epilogue import SLOPES, emit_slope, share_of_largest, square
from darknet_py.ops.cpu.codegen.float64_sums import DOUBLE, double_at, float_at, put_float
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Epilogue, Kernel, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.match import NORMS_BACKWARD, Chain, Rules, take_accumulation
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step, address
from darknet_py.ops.cpu.operations.batchnorm import (
    Normalize,
    Pixel,
    Pixels,
    deviation_of,
    make_channel_sums,
)
from darknet_py.ops.cpu.operations.elementwise import Site, elementwise_row, make_elementwise
from darknet_py.ops.graph import Node, TensorSpec
from darknet_py.ops.normalize import EPSILON

_length = vector_length()


def normalize_backward_reference(
    delta: np.ndarray, x: np.ndarray, scales: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The deltas of x (n, h, w, c), and the updates of scales and biases, by the batch's
    statistics."""
    out, updates = np.empty_like(x), np.zeros((2, x.shape[3]))
    for k in range(x.shape[3]):
        d, value = delta[..., k], x[..., k] - x[..., k].mean()
        deviation = np.sqrt((value**2).sum() / (value.size - 1))
        inverse = 1 / (deviation + EPSILON.deviation)
        updates[:, k] = (d * value).sum() * inverse, d.sum()
        along = (d * value).sum() * inverse / deviation / (value.size - 1)
        out[..., k] = scales[k] * inverse * (d - d.mean() - value * along)
    return out, updates[0], updates[1]


def plain(builder: Builder, at: Site) -> list[Pixel]:
    """y is recomputed."""
    value = load(builder, at.x) - load(builder, at.channels.mean)
    z = fused(value, load(builder, at.channels.scale), load(builder, at.channels.shift))
    return [Pixel(value, load(builder, at.other) * emit_slope(z, at.epilogue.slopes))]


def pooled(builder: Builder, at: Site) -> list[Pixel]:
    """2x2 pixels of y are recomputed: delta is that of the largest, the first of several."""
    places = square(builder, at.x, at.x_map)
    middle, factor, term = (load(builder, each) for each in at.channels[:3])
    values = [load(builder, place) - middle for place in places]
    # y rises with z: the largest is at the same place, except where y is 0 throughout, as d then is
    zs = [fused(value, factor, term) for value in values]
    best = zs[0].max(zs[1]).max(zs[2].max(zs[3]))
    d = load(builder, at.other) * emit_slope(best, at.epilogue.slopes)
    return [Pixel(*pair) for pair in zip(values, share_of_largest(zs, best, d), strict=True)]


def make_backward_sums(pixels_of: Pixels) -> Kernel:
    channel_sums = make_channel_sums(pixels_of, 2 if pixels_of is pooled else 1)

    def backward_sums(
        thread: int,
        threads: int,
        x: TensorView,
        delta: TensorView,
        channels: ChannelArrays,
        epilogue: Epilogue,
        sums: int,
        sums_size: int,
    ) -> None:
        """The first pass, each thread's sums of d and of d (x - mean): sums_size bytes a thread."""
        channel_sums(thread, threads, x, delta, channels, epilogue, sums + thread * sums_size)

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
    numbers: int,
    scales: int,
    scale_updates: int,
    bias_updates: int,
    channels: ChannelArrays,
    fixed: int,
) -> None:
    """Adds the updates, (c,), and makes a, b and e, padded. bias_updates: 0 for none.

    sums: of as many threads as do this. count: values of x in a channel. numbers: the address of an
    Epsilon's two floats. fixed: 1 where mean and
    variance are constants, and not the batch's: b and e are 0.
    """
    of_batch = 0.0 if fixed != 0 else 1.0
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total, product = 0.0, 0.0
        for t in range(threads):
            place = sums + t * sums_size + 8 * k
            total += double_at(place)
            product += double_at(place + 2 * vectors * VECTOR)
        at = 4 * k
        deviation = deviation_of(float_at(variance + at), numbers)
        inverse = 1 / (deviation + float_at(numbers + 4))
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


def make_backward(pixels_of: Pixels) -> Kernel:
    def emit(builder: Builder, at: Site) -> None:
        """The second pass, y = a (d - e) + b (x - mean); other: the delta."""
        pixels = pixels_of(builder, at)
        of_d, of_x, middle = (load(builder, each) for each in at.channels[3:])
        outs = square(builder, at.y, at.y_map)
        for pixel, place in zip(pixels, outs, strict=False):
            store(fused(pixel.d - middle, of_d, pixel.centered * of_x), place)

    step = 2 if pixels_of is pooled else 1
    return make_elementwise(f"backward_{pixels_of.__name__}", emit, x_step=step, y_step=step)


backward_plain, backward_pooled = make_backward(plain), make_backward(pooled)


@dataclass
class NormalizeBackward(Step):
    """The delta of norm.x, from that of y: of norm.y, or of what norm.activation was given.

    scale_updates, bias_updates: arrays (c,) to which it adds; None where they are not needed.
    """

    WRITES = ("out",)
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
        epilogue = Epilogue(slopes=binding.floats(SLOPES[self.activation]))
        room = _room(binding, x)
        scale_updates = self.scale_updates
        if scale_updates is None:
            scale_updates = binding.room(padded(x.c))
        first = backward_sums_pooled if self.pooled else backward_sums_plain
        second = backward_pooled if self.pooled else backward_plain
        return [
            first.step(x=x, delta=delta, channels=channels, epilogue=epilogue, **room),
            finish_backward_sums.step(
                count=x.n * x.h * x.w,
                c=x.c,
                vectors=x.vectors,
                variance=binding.place(norm.variance).address,
                numbers=binding.floats((norm.epsilon.variance, norm.epsilon.deviation)),
                scales=address(norm.scales),
                scale_updates=address(scale_updates),
                bias_updates=address(self.bias_updates),
                channels=channels,
                fixed=int(norm.fixed),
                **room,
            ),
            elementwise_row(second, x, out, delta, channels, epilogue),
        ]


def _room(binding: Binding, x: TensorView) -> dict[str, int]:
    """Where threads keep their sums."""
    return {"sums": binding.scratch.ctypes.data, "sums_size": backward_sums_size(x.vectors)}


@dataclass
class BiasGradient(Step):
    """updates (c,) += the sum of delta over all places."""

    READS, WRITES = ("delta",), ()
    name = "biases"
    delta: TensorSpec
    updates: np.ndarray

    def scratch(self, threads: int) -> int:
        return threads * backward_sums_size(-(-self.delta.shape[3] // 4) + 4)

    def rows(self, binding: Binding) -> Rows:
        delta = binding.place(self.delta)
        zeros = int(binding.room(padded(delta.c)).ctypes.data)
        channels, room = ChannelArrays(zeros, zeros, zeros), _room(binding, delta)
        epilogue = Epilogue(slopes=binding.floats(SLOPES["linear"]))
        return [
            backward_sums_plain.step(
                x=delta, delta=delta, channels=channels, epilogue=epilogue, **room
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
    """The array to which a result is added; nothing else may read it."""
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
