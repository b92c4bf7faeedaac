"""Mean and variance of each channel over a batch, rolling averages, and what normalising takes.

Each thread sums x - shift and its square over its rows, `shift` being the mean of one row from the
middle of the first picture. So the mean that is left is of the size of the deviation at most, and
the difference of squares in the end loses nothing, whatever the mean; one pass over the map will
do. Floats are summed over some rows, all else in doubles.
"""

from __future__ import annotations

import math

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Value,
    fused,
    instruction,
    load,
    offset,
    spread,
    store,
)
from darknet_py.ops.cpu.codegen.float64_sums import (
    DOUBLE,
    TOGETHER,
    Places,
    add_to_doubles,
    double_at,
    for_width,
    running,
    width_of,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import kernel, part
from darknet_py.ops.cpu.codegen.tile import FLOAT, VECTOR
from darknet_py.ops.cpu.operations.convolution.weight_gradient_kernel import clear
from darknet_py.ops.cpu.operations.softmax import float_at, put_float

_vector, _length, _together = VECTOR, vector_length(), TOGETHER


@instruction
def add_sums(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    high: Value,
    wide: Value,
    width: Value,
    shift: Value,
    sums: Value,
    squares: Value,
) -> None:
    """Adds x - shift of high x wide pixels to sums, its square to squares (doubles)."""

    def add(vectors: int) -> None:
        shifts = [load(builder, offset(builder, shift, VECTOR * j)) for j in range(vectors)]
        totals = running(builder, 2 * vectors)
        with Places(builder, (high, wide), [(x, x_row, x_pixel)]) as (place,):
            old = totals.get()
            new = []
            for j in range(vectors):
                value = load(builder, offset(builder, place, VECTOR * j)) - shifts[j]
                new += [old[2 * j] + value, fused(value, value, old[2 * j + 1])]
            totals.set(new)
        for j in range(vectors):
            at = j * _length * DOUBLE
            add_to_doubles(totals.get()[2 * j], offset(builder, sums, at))
            add_to_doubles(totals.get()[2 * j + 1], offset(builder, squares, at))

    for_width(builder, width, add)


@instruction
def mean_of_row(builder: Builder, x: Value, pixel: Value, count: Value, out: Value) -> None:
    total = running(builder, 1)
    with Places(builder, (pixel.type(1), count), [(x, pixel, pixel)]) as (place,):
        total.set([total.get()[0] + load(builder, place)])
    store(total.get()[0] / spread(builder, builder.sitofp(count, F32)), out)


@kernel
def statistics(thread, threads, x, batch, h, w, vectors, x_image, x_row, x_pixel, sums, sums_size):  # type: ignore[no-untyped-def]
    """Each thread's sums of its rows: sums_size bytes a thread, for (shift, sums, squares)."""
    sums += thread * sums_size
    totals = sums + vectors * _vector
    squares = totals + 2 * vectors * _vector
    for v in range(vectors):
        at = v * _vector
        mean_of_row(x + h // 2 * x_row + at, x_pixel, w, sums + at)
    clear(totals, 4 * vectors * _vector)
    row, last = batch * h * thread // threads, batch * h * (thread + 1) // threads
    together = max(_together // w, 1)
    while row < last:
        b = row // h
        top = row - b * h
        high = min(together, last - row, h - top)
        here = x + b * x_image + top * x_row
        v = 0
        while v < vectors:
            at = v * _vector
            width = width_of(vectors - v)
            add_sums(
                here + at,
                x_row,
                x_pixel,
                high,
                w,
                width,
                sums + at,
                totals + 2 * at,
                squares + 2 * at,
            )
            v += width
        row += high


@kernel
def finish_statistics(  # type: ignore[no-untyped-def]
    thread,
    threads,
    sums,
    sums_size,
    count,
    c,
    vectors,
    mean,
    variance,
    rolling_mean,
    rolling_variance,
    scales,
    biases,
    scale,
    shift,
):
    """mean, variance, rolling averages; scale and shift, with which y = (x - mean) scale + shift.

    sums: of as many threads as do this. count: values in a channel. rolling_*: 0 if they are to
    stay; biases: 0 for none. c: channels; those of `vectors` beyond get zeros (but the rolling
    averages, scales and biases are (c,)).
    """
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        total, squares = 0.0, 0.0
        for t in range(threads):
            place = sums + t * sums_size + vectors * _vector + 8 * k
            total += double_at(place)
            squares += double_at(place + 2 * vectors * _vector)
        rest = total / count
        at = 4 * k
        put_float(mean + at, float_at(sums + at) + rest)
        put_float(variance + at, max(squares - rest * total, 0.0) / max(count - 1, 1))
        if rolling_mean != 0:
            _roll(rolling_mean + at, float_at(mean + at))
            _roll(rolling_variance + at, float_at(variance + at))
        _put_coefficients(at, variance, scales, biases, scale, shift)
    if thread == threads - 1:
        for k in range(c, vectors * _length):
            put_float(mean + 4 * k, 0.0)
            put_float(variance + 4 * k, 0.0)
            put_float(scale + 4 * k, 0.0)
            put_float(shift + 4 * k, 0.0)


@kernel
def fixed_statistics(  # type: ignore[no-untyped-def]
    thread,
    threads,
    c,
    vectors,
    rolling_mean,
    rolling_variance,
    mean,
    variance,
    scales,
    biases,
    scale,
    shift,
):
    """The same where mean and variance are known, the rolling ones, (c,), which stay."""
    for k in range(c * thread // threads, c * (thread + 1) // threads):
        put_float(mean + 4 * k, float_at(rolling_mean + 4 * k))
        put_float(variance + 4 * k, float_at(rolling_variance + 4 * k))
        _put_coefficients(4 * k, variance, scales, biases, scale, shift)
    if thread == threads - 1:
        for k in range(c, vectors * _length):
            put_float(mean + 4 * k, 0.0)
            put_float(variance + 4 * k, 0.0)
            put_float(scale + 4 * k, 0.0)
            put_float(shift + 4 * k, 0.0)


@part
def _roll(rolling, value):  # type: ignore[no-untyped-def]
    put_float(rolling, 0.99 * float_at(rolling) + 0.01 * value)


@part
def _put_coefficients(at, variance, scales, biases, scale, shift):  # type: ignore[no-untyped-def]
    squares = float_at(variance + at)
    # as ops.normalize.deviation: rolling ones may be a hair below 0
    deviation = 0.0 if squares < 0 else math.sqrt(squares)
    factor = float_at(scales + at) / (deviation + 1e-6)
    bias = float_at(biases + at) if biases != 0 else 0.0
    put_float(scale + at, factor)
    put_float(shift + at, bias)


def statistics_size(vectors: int) -> int:
    """Bytes of a thread's sums."""
    return (FLOAT + 2 * DOUBLE) * _length * vectors
