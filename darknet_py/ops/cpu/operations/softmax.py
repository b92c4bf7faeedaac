"""Scores to probabilities."""

from __future__ import annotations

import math

from darknet_py.ops.cpu.codegen.emit import F32, F64, Builder, Value, instruction, number, pointer
from darknet_py.ops.cpu.codegen.kernel import kernel


@number
def float_at(builder: Builder, address: Value) -> Value:
    """The float at an address."""
    return builder.fpext(builder.load(pointer(builder, address, F32)), F64)


@instruction
def put_float(builder: Builder, address: Value, value: Value) -> None:
    builder.store(builder.fptrunc(value, F32), pointer(builder, address, F32))


@kernel
def softmax(thread, threads, x, y, batch, h, w, c, x_image, x_row, x_pixel, y_image, temperature):  # type: ignore[no-untyped-def]
    """exp(x / temperature), made to sum to 1 over a picture: a map to a vector in (c, h, w) order.

    temperature: the address of a float.
    """
    heat = float_at(temperature)
    for b in range(batch * thread // threads, batch * (thread + 1) // threads):
        largest = float_at(x + b * x_image)
        for row in range(h):
            for column in range(w):
                source = x + b * x_image + row * x_row + column * x_pixel
                for k in range(c):
                    largest = max(largest, float_at(source + 4 * k))
        total = 0.0
        for k in range(c):
            for row in range(h):
                for column in range(w):
                    source = x + b * x_image + row * x_row + column * x_pixel
                    value = math.exp((float_at(source + 4 * k) - largest) / heat)
                    put_float(y + b * y_image + 4 * ((k * h + row) * w + column), value)
                    total += value
        for k in range(c * h * w):
            place = y + b * y_image + 4 * k
            put_float(place, float_at(place) / total)
