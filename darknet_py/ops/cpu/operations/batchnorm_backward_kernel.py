"""Deltas back through activation, pooling and batch norm, in two passes over the maps.

With z = (x - mean) scale + shift and y = activation(z), d is delta times the activation's slope at
y. The first pass sums d and d (x - mean) for each channel, which gives the updates of biases and
scales and, see batchnorm_backward in ops/normalize.py,

    delta of x = a (d - e) + b (x - mean)

with numbers a, b, e for each channel, which the second pass computes. y is not stored but made
again (`plain`), or stored, if something was added to z (`stored`), or made again and pooled, 2 x
2 pixels to one, delta being that of the pooled map (`pooled`): it belongs to the first of the
largest. See backward_pixels.py; the first pass is in statistics_backward.py, the second here.

Where mean and variance are constants, a = scale and b = e = 0. Without batch norm, x being y, the
first pass is enough: it keeps d as a map, and its sums are the updates of biases.
"""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Value,
    fused,
    instruction,
    load,
    store,
)
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.operations.backward_pixels import Operands, Pixels, plain, pooled, stored

_vector = VECTOR


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
        given = Operands(x, x_row, x_pixel, delta, y, mean, scale, shift, slopes)
        pixels = pixels_of(builder, given)
        below = builder.add(out, out_row)
        outs = [out, builder.add(out, out_pixel), below, builder.add(below, out_pixel)]
        of_d, of_x, middle = (load(builder, place) for place in (a, b, e))
        for pixel, place in zip(pixels, outs, strict=False):
            store(fused(pixel.d - middle, of_d, pixel.value * of_x), place)

    return put_delta


def make_backward(pixels_of: Pixels) -> Kernel:
    """The second pass."""
    put_delta = make_delta(pixels_of)
    step = 2 if pixels_of is pooled else 1

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
        """out = a (d - e) + b (x - mean); h, w: of delta; y: for `stored` only."""
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

    backward.__name__ = f"backward_{pixels_of.__name__}"
    return kernel(backward)


backward_plain, backward_stored, backward_pooled = (
    make_backward(pixels_of) for pixels_of in (plain, stored, pooled)
)
