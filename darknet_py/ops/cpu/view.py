"""Pictures as a network is shown them and back, each in one pass: for the CPU, where pictures are.

Not functions that both devices have. `Samples` say for each place along a side which two pixels it
lies between and how near it is to the second: int64, int64, float32, of equal length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.jit import jit
from darknet_py.ops.cpu.runtime.threads import run, spread

Array = Any
Samples = tuple[Array, Array, Array]

_ONE = np.float32(1)
_CHUNK = 1 << 15


def to_planes(pixels: Array, rows: Samples, columns: Samples) -> Array:
    """The samples of a picture (h, w, c), float32, C-contiguous: (c, rows, columns)."""
    planes = np.empty((pixels.shape[2], len(rows[0]), len(columns[0])), np.float32)
    run(lambda part: _to_planes(pixels, rows, columns, planes, part), _ranges(len(rows[0])))
    return planes


def to_pixels(planes: Array, rows: Samples, columns: Samples) -> Array:
    """The samples of planes (c, h, w), float32, C-contiguous: (rows, columns, c)."""
    pixels = np.empty((len(rows[0]), len(columns[0]), planes.shape[0]), np.float32)
    run(lambda part: _to_pixels(planes, rows, columns, pixels, part), _ranges(len(rows[0])))
    return pixels


def moments(x: Array) -> tuple[float, float]:
    """Mean and standard deviation of all values of a C-contiguous array, summed in doubles and in
    one order, whatever the threads."""
    flat = x.reshape(-1)
    sums = np.empty((-(-flat.size // _CHUNK), 2))
    run(lambda part: _sums(flat, sums, part, _CHUNK), _ranges(len(sums)))
    total, squares = (float(value) for value in sums.sum(axis=0))
    mean = total / flat.size
    return mean, max(squares / flat.size - mean * mean, 0.0) ** 0.5


def _ranges(count: int) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in spread(count)]


@jit
def _to_planes(pixels, rows, columns, planes, part):  # type: ignore[no-untyped-def]
    above, below, row_share = rows
    left, right, column_share = columns
    _, w, c = pixels.shape
    line = np.empty((w, c), np.float32)
    for y in range(part[0], part[1]):
        _mix(pixels[above[y]], pixels[below[y]], row_share[y], line)
        for k in range(c):
            out = planes[k, y]
            for x in range(len(out)):
                share = column_share[x]
                out[x] = (_ONE - share) * line[left[x], k] + share * line[right[x], k]


@jit
def _to_pixels(planes, rows, columns, pixels, part):  # type: ignore[no-untyped-def]
    above, below, row_share = rows
    left, right, column_share = columns
    c, _, w = planes.shape
    line = np.empty(w, np.float32)
    for y in range(part[0], part[1]):
        out = pixels[y]
        for k in range(c):
            plane = planes[k]
            share = row_share[y]
            one, other = plane[above[y]], plane[below[y]]
            for x in range(w):
                line[x] = (_ONE - share) * one[x] + share * other[x]
            for x in range(len(out)):
                share = column_share[x]
                out[x, k] = (_ONE - share) * line[left[x]] + share * line[right[x]]


@jit
def _mix(one, other, share, out):  # type: ignore[no-untyped-def]
    w, c = out.shape
    for x in range(w):
        for k in range(c):
            out[x, k] = (_ONE - share) * one[x, k] + share * other[x, k]


@jit
def _sums(flat, sums, part, chunk):  # type: ignore[no-untyped-def]
    for i in range(part[0], part[1]):
        total, squares = 0.0, 0.0
        for place in range(i * chunk, min((i + 1) * chunk, len(flat))):
            value = np.float64(flat[place])
            total += value
            squares += value * value
        sums[i, 0], sums[i, 1] = total, squares
