"""Deltas back through activation, pooling and batch norm, in two passes over the maps.

With z = x scale + shift and y = activation(z), d is delta times the activation's slope at y. The
first pass sums d and d (x - mean) for each channel, which gives the updates of biases and scales
and, see batchnorm_backward in ops/normalize.py,

    delta of x = a d + b (x - mean) + e

with numbers a, b, e for each channel, which the second pass computes. y is not stored but made
again (`_plain`), or stored, if something was added to z (`_stored`), or made again and pooled, 2 x
2 pixels to one, delta being that of the pooled map (`_pooled`): it belongs to the first of the
largest.

Where mean and variance are constants, the second pass is enough: a = scale, b = e = 0. Without
batch norm, x being y, the first is: it keeps d as a map, and its sums are the updates of biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from darknet_py.ops.cpu.kernels.doubles import (
    DOUBLE,
    TOGETHER,
    Places,
    add_to_doubles,
    double_at,
    for_width,
    running,
    width_of,
)
from darknet_py.ops.cpu.kernels.softmax import float_at, put_float
from darknet_py.ops.cpu.kernels.tile import FLOAT, VECTOR
from darknet_py.ops.cpu.kernels.weight_gradient import clear
from darknet_py.ops.cpu.native.emit import (
    Builder,
    Instruction,
    Value,
    Vector,
    const,
    fused,
    instruction,
    load,
    offset,
    splat,
    store,
    where,
    zero,
)
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.native.kernel import Kernel, kernel

_vector, _length, _together = VECTOR, vector_length(), TOGETHER


class Pixel(NamedTuple):
    """A vector of one pixel of x."""

    x: Value
    """Where it is."""
    value: Vector
    d: Vector


Pixels = Callable[..., list[Pixel]]


def _slope(z: Vector, slopes: Value) -> Vector:
    """The slope at z, or at y, whose sign is the same."""
    builder = z.builder
    first, second = splat(builder, slopes), splat(builder, offset(builder, slopes, FLOAT))
    return where(z > 0.0, first, second)


def _plain(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    delta: Value,
    y: Value,
    scale: Value,
    shift: Value,
    slopes: Value,
) -> list[Pixel]:
    value = load(builder, x)
    z = fused(value, load(builder, scale), load(builder, shift))
    return [Pixel(x, value, load(builder, delta) * _slope(z, slopes))]


def _stored(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    delta: Value,
    y: Value,
    scale: Value,
    shift: Value,
    slopes: Value,
) -> list[Pixel]:
    d = load(builder, delta) * _slope(load(builder, y), slopes)
    return [Pixel(x, load(builder, x), d)]


def _pooled(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    delta: Value,
    y: Value,
    scale: Value,
    shift: Value,
    slopes: Value,
) -> list[Pixel]:
    below = builder.add(x, x_row)
    places = [x, builder.add(x, x_pixel), below, builder.add(below, x_pixel)]
    values = [load(builder, place) for place in places]
    factor, term = load(builder, scale), load(builder, shift)
    # y rises with z: the largest is at the same place, except where y is 0 throughout, as d then is
    zs = [fused(value, factor, term) for value in values]
    best = zs[0].max(zs[1]).max(zs[2].max(zs[3]))
    left, none = load(builder, delta) * _slope(best, slopes), zero(builder)
    pixels = []
    for place, value, z in zip(places, values, zs, strict=True):
        # what one has got there is nothing left of for the next ones
        is_best = z == best
        pixels.append(Pixel(place, value, where(is_best, left, none)))
        left = where(is_best, none, left)
    return pixels


def make_sums(pixels_of: Pixels) -> Instruction:
    is_pooled, keeps = pixels_of is _pooled, pixels_of is _stored

    @instruction
    def add_sums(
        builder: Builder,
        x: Value,
        x_row: Value,
        x_pixel: Value,
        delta: Value,
        delta_row: Value,
        delta_pixel: Value,
        y: Value,
        y_row: Value,
        y_pixel: Value,
        kept: Value,
        kept_row: Value,
        kept_pixel: Value,
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
        step = const(2 if is_pooled else 1)
        maps = [
            (x, builder.mul(x_row, step), builder.mul(x_pixel, step)),
            (delta, delta_row, delta_pixel),
            (y, y_row, y_pixel),
            (kept, kept_row, kept_pixel),
        ]

        def add(vectors: int) -> None:
            totals = running(builder, 2 * vectors)
            with Places(builder, (high, wide), maps) as places:
                old, new = totals.get(), []
                for j in range(vectors):
                    at = VECTOR * j
                    x_place, delta_place, y_place, kept_place = (
                        offset(builder, place, at) for place in places
                    )
                    middle, factor, term = (offset(builder, a, at) for a in (mean, scale, shift))
                    total, product = old[2 * j], old[2 * j + 1]
                    for pixel in pixels_of(
                        builder, x_place, x_row, x_pixel, delta_place, y_place, factor, term, slopes
                    ):
                        total = total + pixel.d
                        product = fused(pixel.d, pixel.value - load(builder, middle), product)
                        if keeps:
                            store(pixel.d, kept_place)
                    new += [total, product]
                totals.set(new)
            for j in range(vectors):
                at = j * _length * DOUBLE
                add_to_doubles(totals.get()[2 * j], offset(builder, sums, at))
                add_to_doubles(totals.get()[2 * j + 1], offset(builder, products, at))

        for_width(builder, width, add)

    return add_sums


def make_delta(pixels_of: Pixels) -> Instruction:
    @instruction
    def put_delta(
        builder: Builder,
        x: Value,
        x_row: Value,
        x_pixel: Value,
        delta: Value,
        y: Value,
        out: Value,
        out_row: Value,
        out_pixel: Value,
        mean: Value,
        scale: Value,
        shift: Value,
        a: Value,
        b: Value,
        e: Value,
        slopes: Value,
    ) -> None:
        pixels = pixels_of(builder, x, x_row, x_pixel, delta, y, scale, shift, slopes)
        below = builder.add(out, out_row)
        outs = [out, builder.add(out, out_pixel), below, builder.add(below, out_pixel)]
        middle, of_d, of_x, term = (load(builder, place) for place in (mean, a, b, e))
        for pixel, place in zip(pixels, outs, strict=False):
            rest = fused(pixel.value - middle, of_x, term)
            store(fused(pixel.d, of_d, rest), place)

    return put_delta


def make_backward_sums(pixels_of: Pixels) -> Kernel:
    """The first pass."""
    add_sums = make_sums(pixels_of)
    step = 2 if pixels_of is _pooled else 1

    def backward_sums(  # type: ignore[no-untyped-def]
        thread,
        threads,
        x,
        delta,
        y,
        kept,
        batch,
        h,
        w,
        vectors,
        x_image,
        x_row,
        x_pixel,
        delta_image,
        delta_row,
        delta_pixel,
        y_image,
        y_row,
        y_pixel,
        kept_image,
        kept_row,
        kept_pixel,
        mean,
        scale,
        shift,
        slopes,
        sums,
        sums_size,
    ):
        """Each thread's sums of d and of d (x - mean): sums_size bytes a thread.

        h, w: of delta. y, kept: for `_stored` only; kept: where d goes, delta's own place if need
        be.
        """
        sums += thread * sums_size
        products = sums + 2 * vectors * _vector
        clear(sums, 4 * vectors * _vector)
        number, last = batch * h * thread // threads, batch * h * (thread + 1) // threads
        together = max(_together // w, 1)
        while number < last:
            b = number // h
            row = number - b * h
            high = min(together, last - number, h - row)
            x_start = x + b * x_image + step * row * x_row
            delta_start = delta + b * delta_image + row * delta_row
            y_start = y + b * y_image + row * y_row
            kept_start = kept + b * kept_image + row * kept_row
            v = 0
            while v < vectors:
                at = v * _vector
                width = width_of(vectors - v)
                add_sums(
                    x_start + at,
                    x_row,
                    x_pixel,
                    delta_start + at,
                    delta_row,
                    delta_pixel,
                    y_start + at,
                    y_row,
                    y_pixel,
                    kept_start + at,
                    kept_row,
                    kept_pixel,
                    high,
                    w,
                    width,
                    mean + at,
                    scale + at,
                    shift + at,
                    slopes,
                    sums + 2 * at,
                    products + 2 * at,
                )
                v += width
            number += high

    backward_sums.__name__ = f"backward_sums{pixels_of.__name__}"
    return kernel(backward_sums)


def make_backward(pixels_of: Pixels) -> Kernel:
    """The second pass."""
    put_delta = make_delta(pixels_of)
    step = 2 if pixels_of is _pooled else 1

    def backward(  # type: ignore[no-untyped-def]
        thread,
        threads,
        x,
        delta,
        y,
        out,
        batch,
        h,
        w,
        vectors,
        x_image,
        x_row,
        x_pixel,
        delta_image,
        delta_row,
        delta_pixel,
        y_image,
        y_row,
        y_pixel,
        out_image,
        out_row,
        out_pixel,
        mean,
        scale,
        shift,
        a,
        b,
        e,
        slopes,
    ):
        """out = a d + b (x - mean) + e; h, w: of delta; y: for `_stored` only."""
        rows = batch * h
        for number in range(rows * thread // threads, rows * (thread + 1) // threads):
            picture = number // h
            row = number - picture * h
            x_here = x + picture * x_image + step * row * x_row
            delta_here = delta + picture * delta_image + row * delta_row
            y_here = y + picture * y_image + row * y_row
            out_here = out + picture * out_image + step * row * out_row
            for _ in range(w):
                for at in range(0, vectors * _vector, _vector):
                    put_delta(
                        x_here + at,
                        x_row,
                        x_pixel,
                        delta_here + at,
                        y_here + at,
                        out_here + at,
                        out_row,
                        out_pixel,
                        mean + at,
                        scale + at,
                        shift + at,
                        a + at,
                        b + at,
                        e + at,
                        slopes,
                    )
                x_here += step * x_pixel
                delta_here += delta_pixel
                y_here += y_pixel
                out_here += step * out_pixel

    backward.__name__ = f"backward{pixels_of.__name__}"
    return kernel(backward)


backward_sums_plain, backward_plain = make_backward_sums(_plain), make_backward(_plain)
backward_sums_stored, backward_stored = make_backward_sums(_stored), make_backward(_stored)
backward_sums_pooled, backward_pooled = make_backward_sums(_pooled), make_backward(_pooled)


@kernel
def finish_backward_sums(  # type: ignore[no-untyped-def]
    thread,
    threads,
    sums,
    sums_size,
    count,
    c,
    vectors,
    variance,
    scales,
    scale_updates,
    bias_updates,
    a,
    b,
    e,
):
    """Adds the updates, (c,), and makes a, b and e, padded. bias_updates: 0 for none.

    sums: of as many threads as do this. count: values of x in a channel.
    """
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total, product = 0.0, 0.0
        for t in range(threads):
            place = sums + t * sums_size + 8 * k
            total += double_at(place)
            product += double_at(place + 2 * vectors * _vector)
        at = 4 * k
        deviation = math.sqrt(float_at(variance + at))
        inverse = 1 / (deviation + 1e-6)
        factor = float_at(scales + at) * inverse
        spread = (deviation if deviation > 0 else 1.0) * max(count - 1, 1)
        put_float(a + at, factor)
        put_float(b + at, -factor * inverse * product / spread)
        put_float(e + at, -factor * total / count)
        put_float(scale_updates + at, float_at(scale_updates + at) + product * inverse)
        if bias_updates != 0:
            put_float(bias_updates + at, float_at(bias_updates + at) + total)
    if thread == threads - 1:
        for k in range(c, vectors * _length):
            put_float(a + 4 * k, 0.0)
            put_float(b + 4 * k, 0.0)
            put_float(e + 4 * k, 0.0)


@kernel
def add_bias_updates(thread, threads, sums, sums_size, c, bias_updates):  # type: ignore[no-untyped-def]
    """bias_updates (c,) += the sums of d of as many threads as do this."""
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total = 0.0
        for t in range(threads):
            total += double_at(sums + t * sums_size + 8 * k)
        put_float(bias_updates + 4 * k, float_at(bias_updates + 4 * k) + total)


def backward_sums_size(vectors: int) -> int:
    """Bytes of a thread's sums."""
    return 2 * DOUBLE * _length * vectors
