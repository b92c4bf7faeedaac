"""Kernels that move maps: a picture in, maps side by side, maps added. Bound by memory alone."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Value,
    instruction,
    load,
    offset,
    pointer,
    splat,
    store,
    where,
)
from darknet_py.ops.cpu.codegen.epilogue import emit_activation
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR

_vector = VECTOR


@instruction
def move(builder: Builder, to: Value, source: Value, factors: Value) -> None:
    """One float, times the first of two factors plus the second."""
    x = builder.load(pointer(builder, source, F32))
    scale = builder.load(pointer(builder, factors, F32))
    shift = builder.load(pointer(builder, offset(builder, factors, 4), F32))
    builder.store(builder.fadd(builder.fmul(x, scale), shift), pointer(builder, to, F32))


@kernel
def picture(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    y,
    batch,
    c,
    h,
    w,
    x_image,
    x_channel,
    x_row,
    y_image,
    y_row,
    y_pixel,
    factors,
):
    """Pictures (batch, c, h, w) into a map; pitches in bytes. factors: (c, 2), of each channel what
    it is multiplied with, and what is added."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        for k in range(c):
            source = x + b * x_image + k * x_channel + row * x_row
            to = y + b * y_image + row * y_row + 4 * k
            for column in range(w):
                move(to + column * y_pixel, source + 4 * column, factors + 8 * k)


@instruction
def copy(builder: Builder, to: Value, source: Value) -> None:
    store(load(builder, source), to)


@kernel
def copy_map(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    y,
    batch,
    h,
    w,
    vectors,
    x_image,
    x_row,
    x_pixel,
    y_image,
    y_row,
    y_pixel,
):
    """y = x, of so many vectors of channels."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        for column in range(w):
            to = y + b * y_image + row * y_row + column * y_pixel
            source = x + b * x_image + row * x_row + column * x_pixel
            for k in range(vectors):
                copy(to + k * _vector, source + k * _vector)


@instruction
def combine(
    builder: Builder, y: Value, x: Value, other: Value, factors: Value, slopes: Value
) -> None:
    scaled = load(builder, x) * splat(builder, factors)
    total = scaled + load(builder, other) * splat(builder, offset(builder, factors, 4))
    store(emit_activation(builder, slopes, [total])[0], y)


@instruction
def apply(builder: Builder, y: Value, x: Value, slopes: Value) -> None:
    store(emit_activation(builder, slopes, [load(builder, x)])[0], y)


@kernel
def add_map(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    other,
    y,
    batch,
    h,
    w,
    vectors,
    x_image,
    x_row,
    x_pixel,
    meets_h,
    meets_w,
    meets_vectors,
    x_sample,
    other_sample,
    other_image,
    other_row,
    other_pixel,
    y_image,
    y_row,
    y_pixel,
    factors,
    slopes,
):
    """y = activation(alpha x + beta other) where they meet, activation(x) elsewhere.

    They meet at every x_sample-th pixel of x and every other_sample-th of other, meets_h x meets_w
    times, in the first meets_vectors vectors of channels. factors: alpha, beta.
    """
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        row_meets = row % x_sample == 0 and row // x_sample < meets_h
        for column in range(w):
            here = b * x_image + row * x_row + column * x_pixel + x
            to = b * y_image + row * y_row + column * y_pixel + y
            meets = 0
            if row_meets and column % x_sample == 0 and column // x_sample < meets_w:
                meets = meets_vectors
            there = (
                other
                + b * other_image
                + row // x_sample * other_sample * other_row
                + column // x_sample * other_sample * other_pixel
            )
            for k in range(meets):
                at = k * _vector
                combine(to + at, here + at, there + at, factors, slopes)
            for k in range(meets, vectors):
                apply(to + k * _vector, here + k * _vector, slopes)


@kernel
def activate_map(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    y,
    batch,
    h,
    w,
    vectors,
    x_image,
    x_row,
    x_pixel,
    y_image,
    y_row,
    y_pixel,
    slopes,
):
    """y = activation(x)."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        for column in range(w):
            to = y + b * y_image + row * y_row + column * y_pixel
            source = x + b * x_image + row * x_row + column * x_pixel
            for k in range(vectors):
                apply(to + k * _vector, source + k * _vector, slopes)


@instruction
def apply_slope(builder: Builder, out: Value, delta: Value, y: Value, slopes: Value) -> None:
    first, second = splat(builder, slopes), splat(builder, offset(builder, slopes, 4))
    slope = where(load(builder, y) > 0.0, first, second)
    store(load(builder, delta) * slope, out)


@kernel
def activate_map_backward(  # type: ignore[no-untyped-def]
    thread,
    threads,
    delta,
    y,
    out,
    batch,
    h,
    w,
    vectors,
    delta_image,
    delta_row,
    delta_pixel,
    y_image,
    y_row,
    y_pixel,
    out_image,
    out_row,
    out_pixel,
    slopes,
):
    """out = delta times the activation's slope, by the sign of its output y."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        for column in range(w):
            to = out + b * out_image + row * out_row + column * out_pixel
            source = delta + b * delta_image + row * delta_row + column * delta_pixel
            sign = y + b * y_image + row * y_row + column * y_pixel
            for k in range(vectors):
                at = k * _vector
                apply_slope(to + at, source + at, sign + at, slopes)
