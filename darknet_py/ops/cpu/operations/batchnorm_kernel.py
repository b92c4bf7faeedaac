"""y = activation((x - mean) scale + shift): batch norm and activation of a raw map, pooled, or with
a map added.

The mean is taken first: of a channel that is one number throughout nothing is left then, where the
scale is a million, one by the smallest deviation, and would make much of a rounding.
"""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    fused,
    instruction,
    load,
    store,
)
from darknet_py.ops.cpu.codegen.epilogue import emit_activation, emit_added
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR

_vector = VECTOR


@instruction
def normalize_vector(
    builder: Builder,
    x: Value,
    y: Value,
    mean: Value,
    scale: Value,
    shift: Value,
    slopes: Value,
    added: Value,
    added_after: Value,
) -> None:
    centered = load(builder, x) - load(builder, mean)
    value = fused(centered, load(builder, scale), load(builder, shift))
    value = emit_added(builder, added, [y], [[value]])[0][0]
    value = emit_activation(builder, slopes, [value])[0]
    value = emit_added(builder, added_after, [y], [[value]])[0][0]
    store(value, y)


@instruction
def normalize_square(
    builder: Builder,
    x: Value,
    x_row: Value,
    x_pixel: Value,
    y: Value,
    mean: Value,
    scale: Value,
    shift: Value,
    slopes: Value,
) -> None:
    """The largest of 2 x 2 pixels."""
    middle, factor, term = (load(builder, each) for each in (mean, scale, shift))
    below = builder.add(x, x_row)
    places = [x, builder.add(x, x_pixel), below, builder.add(below, x_pixel)]
    values = [fused(load(builder, place) - middle, factor, term) for place in places]
    best = values[0].max(values[1]).max(values[2].max(values[3]))
    store(emit_activation(builder, slopes, [best])[0], y)


@kernel
def normalize(  # type: ignore[no-untyped-def]
    thread,
    threads,
    x,
    y,
    added,
    added_after,
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
    mean,
    scale,
    shift,
    slopes,
):
    """y = activation((x - mean) scale + shift [+ added]) [+ added_after].

    added, added_after: bytes from y to a map of its shape, 0 for none.
    """
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        source = x + b * x_image + row * x_row
        to = y + b * y_image + row * y_row
        for _ in range(w):
            for at in range(0, vectors * _vector, _vector):
                normalize_vector(
                    source + at,
                    to + at,
                    mean + at,
                    scale + at,
                    shift + at,
                    slopes,
                    added,
                    added_after,
                )
            source += x_pixel
            to += y_pixel


@kernel
def normalize_pooled(  # type: ignore[no-untyped-def]
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
    mean,
    scale,
    shift,
    slopes,
):
    """y = of each 2 x 2 of activation((x - mean) scale + shift) the largest; h, w: of y."""
    rows = batch * h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // h
        row = number - b * h
        source = x + b * x_image + 2 * row * x_row
        to = y + b * y_image + row * y_row
        for _ in range(w):
            for at in range(0, vectors * _vector, _vector):
                normalize_square(
                    source + at,
                    x_row,
                    x_pixel,
                    to + at,
                    mean + at,
                    scale + at,
                    shift + at,
                    slopes,
                )
            source += 2 * x_pixel
            to += y_pixel
