"""Deltas back through pooling: to the largest of each window, or to all pixels alike."""

from __future__ import annotations

import math

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Loop,
    Value,
    Variables,
    Vector,
    constant,
    instruction,
    load,
    offset,
    splat,
    spread,
    store,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR

_vector = VECTOR


@instruction
def put_zeros(builder: Builder, address: Value) -> None:
    store(zero(builder), address)


@instruction
def add_to_largest(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    rows: Value,
    columns: Value,
    delta: Value,
    out: Value,
    out_row: Value,
    out_pixel: Value,
) -> None:
    """Adds a vector of deltas where x is largest in rows x columns pixels, first of all."""
    best, place = Variables(builder, 1), Variables(builder, 1)
    best.set([Vector(builder, constant(-math.inf, vector_length()))])
    place.set([Vector(builder, constant(-1, vector_length()))])
    with Loop(builder, rows) as i:
        line = builder.add(x, builder.mul(i, x_row))
        with Loop(builder, columns) as j:
            value = load(builder, builder.add(line, builder.mul(j, x_pixel)))
            is_larger = value > best.get()[0]
            best.set([where(is_larger, value, best.get()[0])])
            place.set([where(is_larger, _number(builder, i, j, columns), place.get()[0])])
    share, none = load(builder, delta), zero(builder)
    with Loop(builder, rows) as i:
        line = builder.add(out, builder.mul(i, out_row))
        with Loop(builder, columns) as j:
            to = builder.add(line, builder.mul(j, out_pixel))
            is_here = place.get()[0] == _number(builder, i, j, columns)
            store(load(builder, to) + where(is_here, share, none), to)


def _number(builder: Builder, i: Value, j: Value, columns: Value) -> Vector:
    number = builder.add(builder.mul(i, columns), j)
    return spread(builder, builder.sitofp(number, F32))


@kernel
def maxpool_backward(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    delta,
    out,
    batch,
    h,
    w,
    out_h,
    out_w,
    size,
    stride,
    front,
    vectors,
    x_image,
    x_row,
    x_pixel,
    delta_image,
    delta_row,
    delta_pixel,
    out_image,
    out_row,
    out_pixel,
):
    """out, of x's shape (h, w): the delta of x. out_h, out_w: of delta, as in pool.py's maxpool.

    Windows may overlap, so that each thread has some channels of a picture, or of several.
    """
    first, last = batch * vectors * thread // threads, batch * vectors * (thread + 1) // threads
    for b in range(first // vectors, (last + vectors - 1) // vectors):
        from_at = max(first - b * vectors, 0) * _vector
        to_at = min(last - b * vectors, vectors) * _vector
        for row in range(h):
            for column in range(w):
                place = out + b * out_image + row * out_row + column * out_pixel
                for at in range(from_at, to_at, _vector):
                    put_zeros(place + at)
        for row in range(out_h):
            top = max(row * stride - front, 0)
            high = min(row * stride - front + size, h) - top
            for column in range(out_w):
                left = max(column * stride - front, 0)
                wide = min(column * stride - front + size, w) - left
                source = x + b * x_image + top * x_row + left * x_pixel
                to = out + b * out_image + top * out_row + left * out_pixel
                here = delta + b * delta_image + row * delta_row + column * delta_pixel
                for at in range(from_at, to_at, _vector):
                    add_to_largest(
                        source + at,
                        x_row,
                        x_pixel,
                        high,
                        wide,
                        here + at,
                        to + at,
                        out_row,
                        out_pixel,
                    )


@instruction
def share_square(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    delta: Value,
    out: Value,
    out_row: Value,
    out_pixel: Value,
    slopes: Value,
) -> None:
    """A vector of deltas, times the slope at the largest of 2 x 2 pixels, to the first of those."""
    places = [(row, pixel) for row in (0, 1) for pixel in (0, 1)]
    values = [load(builder, _at(builder, x, x_row, x_pixel, place)) for place in places]
    best = values[0]
    for value in values[1:]:
        best = where(value > best, value, best)
    first, second = splat(builder, slopes), splat(builder, offset(builder, slopes, 4))
    left, none = load(builder, delta) * where(best > 0.0, first, second), zero(builder)
    for place, value in zip(places, values, strict=True):
        is_here = value == best
        store(where(is_here, left, none), _at(builder, out, out_row, out_pixel, place))
        left = where(is_here, none, left)  # one gets it


def _at(
    builder: Builder, address: Value, row: Value, pixel: Value, place: tuple[int, int]
) -> Value:
    down, right = (
        builder.mul(step, step.type(n)) for step, n in zip((row, pixel), place, strict=True)
    )
    return builder.add(address, builder.add(down, right))


@kernel
def maxpool2_backward(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    delta,
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
    out_image,
    out_row,
    out_pixel,
    slopes,
):
    """The same for windows of 2 x 2 side by side, h x w of them, x being an activation's output:
    the delta of what that was given."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        source = x + b * x_image + 2 * row * x_row
        here = delta + b * delta_image + row * delta_row
        to = out + b * out_image + 2 * row * out_row
        for _ in range(w):
            for at in range(0, vectors * _vector, _vector):
                share_square(
                    source + at, x_row, x_pixel, here + at, to + at, out_row, out_pixel, slopes
                )
            source += 2 * x_pixel
            here += delta_pixel
            to += 2 * out_pixel


@instruction
def put_share(builder: Builder, delta: Value, count: Value, out: Value) -> None:
    """A vector of deltas, divided by a number."""
    store(load(builder, delta) / spread(builder, builder.sitofp(count, F32)), out)


@kernel
def avgpool_backward(  # type: ignore[no-untyped-def]
    thread, threads, delta, out, batch, h, w, vectors, delta_image, out_image, out_row, out_pixel
):
    """Each pixel of out (h, w) gets delta / (h w)."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        line = out + b * out_image + (number - b * h) * out_row
        for column in range(w):
            for at in range(0, vectors * _vector, _vector):
                put_share(delta + b * delta_image + at, h * w, line + column * out_pixel + at)
