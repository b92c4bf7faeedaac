"""Deltas back through activation and pooling, a vector at a time: see normalize_backward.py.

With y = activation(z), z = (x - mean) scale + shift, d is delta times the activation's slope at y.
There are three ways to know it, by how y is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Value,
    Vector,
    fused,
    load,
    offset,
    splat,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.tile import FLOAT


class Pixel(NamedTuple):
    """A vector of one pixel of x."""

    x: Value
    """Where it is."""
    value: Vector
    """x - mean."""
    d: Vector


class Operands(NamedTuple):
    """Where a vector's pixel is: addresses; y: for `stored` only; *_row, *_pixel: pitches in
    bytes, for `pooled` only."""

    x: Value
    x_row: Value
    x_pixel: Value
    delta: Value
    y: Value
    mean: Value
    scale: Value
    shift: Value
    slopes: Value


Pixels = Callable[[Builder, Operands], list[Pixel]]


def _slope(z: Vector, slopes: Value) -> Vector:
    """The slope at z, or at y, whose sign is the same."""
    builder = z.builder
    first, second = splat(builder, slopes), splat(builder, offset(builder, slopes, FLOAT))
    return where(z > 0.0, first, second)


def plain(builder: Builder, at: Operands) -> list[Pixel]:
    """y is made again."""
    value = load(builder, at.x) - load(builder, at.mean)
    z = fused(value, load(builder, at.scale), load(builder, at.shift))
    return [Pixel(at.x, value, load(builder, at.delta) * _slope(z, at.slopes))]


def stored(builder: Builder, at: Operands) -> list[Pixel]:
    """y is there."""
    d = load(builder, at.delta) * _slope(load(builder, at.y), at.slopes)
    return [Pixel(at.x, load(builder, at.x) - load(builder, at.mean), d)]


def pooled(builder: Builder, at: Operands) -> list[Pixel]:
    """y is made again, 2 x 2 pixels: delta is that of the largest, the first where several are."""
    below = builder.add(at.x, at.x_row)
    places = [at.x, builder.add(at.x, at.x_pixel), below, builder.add(below, at.x_pixel)]
    middle, factor, term = (load(builder, each) for each in (at.mean, at.scale, at.shift))
    values = [load(builder, place) - middle for place in places]
    # y rises with z: the largest is at the same place, except where y is 0 throughout, as d then is
    zs = [fused(value, factor, term) for value in values]
    best = zs[0].max(zs[1]).max(zs[2].max(zs[3]))
    left, none = load(builder, at.delta) * _slope(best, at.slopes), zero(builder)
    pixels = []
    for place, value, z in zip(places, values, zs, strict=True):
        # what one has got there is nothing left of for the next ones
        is_best = z == best
        pixels.append(Pixel(place, value, where(is_best, left, none)))
        left = where(is_best, none, left)
    return pixels
