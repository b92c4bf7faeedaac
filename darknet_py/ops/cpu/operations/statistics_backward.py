"""The first pass of deltas back through batch norm, see normalize_backward.py: sums over the batch.

Each thread sums d and d (x - mean) of each channel over its rows; what all have found gives the
updates of biases and scales, and the numbers a, b and e that the second pass takes. Floats are
summed over some rows, all else in doubles.
"""

from __future__ import annotations

import math

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Value,
    const,
    fused,
    instruction,
    offset,
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
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.operations.backward_pixels import Operands, Pixels, plain, pooled, stored
from darknet_py.ops.cpu.operations.convolution.weight_gradient_kernel import clear
from darknet_py.ops.cpu.operations.softmax import float_at, put_float

_vector, _length, _together = VECTOR, vector_length(), TOGETHER


def make_sums(pixels_of: Pixels) -> Instruction:
    is_pooled, keeps = pixels_of is pooled, pixels_of is stored

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
                    here = Operands(
                        x_place,
                        x_row,
                        x_pixel,
                        delta_place,
                        y_place,
                        middle,
                        factor,
                        term,
                        slopes,
                    )
                    for pixel in pixels_of(builder, here):
                        total = total + pixel.d
                        product = fused(pixel.d, pixel.value, product)
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


def make_backward_sums(pixels_of: Pixels) -> Kernel:
    """The first pass."""
    add_sums = make_sums(pixels_of)
    step = 2 if pixels_of is pooled else 1

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

        h, w: of delta. y, kept: for `stored` only; kept: where d goes, delta's own place if need
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

    backward_sums.__name__ = f"backward_sums_{pixels_of.__name__}"
    return kernel(backward_sums)


backward_sums_plain, backward_sums_stored, backward_sums_pooled = (
    make_backward_sums(pixels_of) for pixels_of in (plain, stored, pooled)
)


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
    fixed,
):
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
        squares = float_at(variance + at)
        deviation = 0.0 if squares < 0 else math.sqrt(squares)
        inverse = 1 / (deviation + 1e-6)
        factor = float_at(scales + at) * inverse
        spread = (deviation if deviation > 0 else 1.0) * max(count - 1, 1)
        put_float(a + at, factor)
        put_float(b + at, -of_batch * factor * inverse * product / spread)
        put_float(e + at, of_batch * total / count)
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
