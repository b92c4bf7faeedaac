"""Pooling: the largest of each window, the mean of each channel."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.descriptor import TensorView
from darknet_py.ops.cpu.codegen.emit import (
    F32,
    Builder,
    Loop,
    Value,
    Variables,
    instruction,
    load,
    spread,
    store,
    zero,
)
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR

_vector = VECTOR


@instruction
def largest(
    builder: Builder, x: Value, row: Value, pixel: Value, rows: Value, columns: Value, y: Value
) -> None:
    """The largest vector of rows x columns pixels."""
    best = Variables(builder, 1)
    best.set([load(builder, x)])
    with Loop(builder, rows) as i:
        line = builder.add(x, builder.mul(i, row))
        with Loop(builder, columns) as j:
            value = load(builder, builder.add(line, builder.mul(j, pixel)))
            # in this order a NaN of the map stays
            best.set([best.get()[0].max(value)])
    store(best.get()[0], y)


@kernel
def maxpool(
    thread: int, threads: int, x: TensorView, y: TensorView, size: int, stride: int, front: int
) -> None:
    """The largest of each window; the first window begins `front` pixels before the map."""
    rows = y.n * y.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // y.h
        row = number - b * y.h
        top = max(row * stride - front, 0)
        high = min(row * stride - front + size, x.h) - top
        for column in range(y.w):
            left = max(column * stride - front, 0)
            wide = min(column * stride - front + size, x.w) - left
            source, to = pixel_at(x, b, top, left), pixel_at(y, b, row, column)
            for k in range(y.vectors):
                at = k * _vector
                largest(source + at, x.row, x.pixel, high, wide, to + at)


@instruction
def mean(
    builder: Builder, x: Value, row: Value, pixel: Value, h: Value, w: Value, y: Value
) -> None:
    """The mean vector of h x w pixels; sums of rows, then their sum, which keeps errors small."""
    total, line = Variables(builder, 1), Variables(builder, 1)
    total.set([zero(builder)])
    with Loop(builder, h) as i:
        line.set([zero(builder)])
        start = builder.add(x, builder.mul(i, row))
        with Loop(builder, w) as j:
            value = load(builder, builder.add(start, builder.mul(j, pixel)))
            line.set([line.get()[0] + value])
        total.set([total.get()[0] + line.get()[0]])
    count = spread(builder, builder.sitofp(builder.mul(h, w), F32))
    store(total.get()[0] / count, y)


@kernel
def avgpool(thread, threads, x, y, batch, h, w, vectors, x_image, x_row, x_pixel, y_image):  # type: ignore[no-untyped-def]
    """The mean of each channel."""
    parts = batch * vectors
    for number in range(parts * thread // threads, parts * (thread + 1) // threads):
        b = number // vectors
        at = (number - b * vectors) * _vector
        mean(x + b * x_image + at, x_row, x_pixel, h, w, y + b * y_image + at)
