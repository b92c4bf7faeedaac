"""What a dream makes more of: the values of a map that stand out."""

from __future__ import annotations

import math

from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.operations.softmax import float_at, put_float


@kernel
def dream_delta(  # type: ignore[no-untyped-def]
    thread, threads, x, y, batch, h, w, c, thresh, x_image, x_row, x_pixel, y_image, y_row, y_pixel
):
    """y = x where it exceeds its picture's mean + thresh standard deviations, else 0.

    thresh: the address of a float. Every thread sums a whole picture, in doubles and one order, and
    then writes some rows of it.
    """
    count = h * w * c
    for b in range(batch):
        total, squares = 0.0, 0.0
        for row in range(h):
            for column in range(w):
                here = x + b * x_image + row * x_row + column * x_pixel
                line, line_squares = 0.0, 0.0
                for k in range(c):
                    value = float_at(here + 4 * k)
                    line += value
                    line_squares += value * value
                total += line
                squares += line_squares
        mean = total / count
        deviation = math.sqrt(max(squares / count - mean * mean, 0.0))
        limit = mean + float_at(thresh) * deviation
        for row in range(h * thread // threads, h * (thread + 1) // threads):
            for column in range(w):
                here = x + b * x_image + row * x_row + column * x_pixel
                to = y + b * y_image + row * y_row + column * y_pixel
                for k in range(c):
                    value = float_at(here + 4 * k)
                    put_float(to + 4 * k, value if value > limit else 0.0)
