"""Convolutions of stride 1 by Winograd's transforms: see transforms.py, also for m, size and n.

A thread takes a block of tiles, transforms them to n^2 matrices (tiles, c), multiplies each
with that of the weights, a panel of filters at a time, and transforms the sums back.
"""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import (
    address,
    panel_at,
    panels_of,
    part_of,
    place_after,
    place_of,
)
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel
from darknet_py.ops.cpu.codegen.tile import FLOAT, PANEL, PIXELS, VECTOR, share
from darknet_py.ops.cpu.operations.convolution.winograd_product import multiply, odd_lines
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import (
    make_edge,
    make_input,
    make_output,
)
from darknet_py.ops.cpu.operations.convolution.winograd_transforms import WINOGRAD

_LENGTH = vector_length()


def make_winograd(m: int, size: int) -> Kernel:
    """The kernel for tiles of m x m outputs of a convolution of size x size."""
    to_products, at_edge = make_input(m, size), make_edge(m, size)
    outputs, pooled_outputs = make_output(m, size, False), make_output(m, size, True)
    count = (m + size - 1) ** 2

    def winograd(  # type: ignore[no-untyped-def]
        thread,
        threads,
        x,
        y,
        added,
        added_after,
        gate,
        batch,
        out_h,
        out_w,
        x_image,
        x_row,
        x_pixel,
        y_image,
        y_row,
        y_pixel,
        c,
        weights,
        vectors,
        biases,
        slopes,
        block,
        scratch,
        scratch_size,
        split_filters,
        pooled,
    ):
        """y = activation(x * weights + biases [+ added]) [+ added_after, or through a gate];
        or of 2x2 the largest.

        x, y: the first window and the first output; *_image, *_row, *_pixel: bytes from one to the
        next. out_h, out_w: of the convolution, before pooling. c: channels of x, in whole vectors.
        weights: of each panel n^2 matrices (c, filters). block: tiles that are done together,
        a multiple of 6. scratch: scratch_size bytes a thread, for a block's matrices, a panel's
        sums and one tile. The rest as direct's; where pooled, nothing is added.
        """
        scratch += thread * scratch_size
        x_step = odd_lines(block * c * 4)
        sums = scratch + count * x_step
        spare = sums + count * odd_lines(block * PANEL * VECTOR)
        windows, places = (x, x_image, x_row, x_pixel), (y, y_image, y_row, y_pixel)
        high, wide = (out_h + m - 1) // m, (out_w + m - 1) // m
        full, panels = panels_of(vectors, PANEL)
        first, last, first_panel, last_panel = 0, batch * high * wide, 0, panels
        if split_filters:
            first_panel, last_panel = part_of(thread, threads, panels, 1)
        else:
            first, last = part_of(thread, threads, last, PIXELS)
        side, y_h, y_w = m, out_h, out_w
        if pooled:
            side, y_h, y_w = m // 2, out_h // 2, out_w // 2
        for start in range(first, last, block):
            n = min(block, last - start)
            first_place = place_of(start, high, wide)
            picture, ty, tx = first_place
            for t in range(n):
                here = address(windows, picture, ty * m, tx * m)
                for k in range(0, c, _LENGTH):
                    to_products(here + 4 * k, x_row, x_pixel, scratch + (t * c + k) * 4, x_step)
                picture, ty, tx = place_after(picture, ty, tx, high, wide)
            for panel in range(first_panel, last_panel):
                vector, width = panel_at(panel, full, PANEL)
                matrix = weights + vector * count * c * VECTOR
                step = odd_lines(block * width * VECTOR)
                passes = (n + PIXELS - 1) // PIXELS
                asked = share(width * VECTOR, passes)
                for p in range(count):
                    a, out = scratch + p * x_step, sums + p * step
                    multiply(a, c, matrix, out, width, n, passes, asked)
                    matrix += c * width * VECTOR
                picture, ty, tx = first_place
                for t in range(n):
                    rows, columns = min(side, y_h - ty * side), min(side, y_w - tx * side)
                    corner = address(places, picture, ty * side, tx * side)
                    for j in range(width):
                        at = (vector + j) * VECTOR
                        to = corner + at
                        source = sums + (t * width + j) * VECTOR
                        finish = biases + at, slopes, added, added_after, gate
                        if rows < side or columns < side:
                            tile = to, y_row, y_pixel
                            at_edge(source, step, tile, finish, pooled, rows, columns, spare)
                        elif pooled:
                            pooled_outputs(source, step, to, y_row, y_pixel, *finish)
                        else:
                            outputs(source, step, to, y_row, y_pixel, *finish)
                    picture, ty, tx = place_after(picture, ty, tx, high, wide)

    winograd.__name__ = f"winograd{m}_{size}"
    return kernel(winograd)


KERNELS = {(m, size): make_winograd(m, size) for m, size in WINOGRAD}


def scratch_size(m: int, size: int, block: int, c: int) -> int:
    """Bytes of scratch that a thread needs."""
    matrices = (m + size - 1) ** 2 * (block * (c * FLOAT + PANEL * VECTOR) + 4 * 64)
    return (matrices + 3 * m * m * VECTOR + 63) // 64 * 64
