"""Smooth surfaces over a picture, from few numbers: for the CPU, where pictures are read.

Not one of the functions that both devices have.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.jit import jit

Array = Any


def control_count(size: int, spacing: float) -> int:
    """How many control numbers a side of `size` pixels needs, `spacing` pixels apart."""
    return math.floor((size - 1) / spacing) + 4


def spline_surface(control: Array, spacing: float, w: int, h: int) -> Array:
    """(count, h, w) float32: uniform cubic B-splines of `control` (count, rows, columns), float32.

    Control numbers lie `spacing` pixels apart, the first ones a step before the picture: so
    control_count(h, spacing) rows and control_count(w, spacing) columns. With two continuous
    derivatives, and within the range of the control numbers.
    """
    surface = np.empty((len(control), h, w), np.float32)
    _spline_surface(control, float(spacing), surface)
    return surface


@jit
def _spline_surface(control, spacing, surface):  # type: ignore[no-untyped-def]
    count, h, w = surface.shape
    row = np.empty(control.shape[2], np.float32)
    for k in range(count):
        for y in range(h):
            place = y / spacing
            top = int(place)
            a, b, c, d = _weights(place - top)
            # first down, then across: each number of the surface is four products
            for column in range(len(row)):
                above = a * control[k, top, column] + b * control[k, top + 1, column]
                below = c * control[k, top + 2, column] + d * control[k, top + 3, column]
                row[column] = above + below
            for x in range(w):
                place = x / spacing
                left = int(place)
                a, b, c, d = _weights(place - left)
                before = a * row[left] + b * row[left + 1]
                surface[k, y, x] = before + c * row[left + 2] + d * row[left + 3]


@jit
def _weights(t):  # type: ignore[no-untyped-def]
    """The shares of four neighbours for a place `t` (0..1) between the middle two."""
    rest = 1 - t
    return (
        rest * rest * rest / 6,
        (3 * t * t * t - 6 * t * t + 4) / 6,
        (3 * rest * rest * rest - 6 * rest * rest + 4) / 6,
        t * t * t / 6,
    )
