"""How a kernel is told of a map: one argument instead of a dozen numbers.

In a row of a table a descriptor is its numbers side by side; a kernel's parameter annotated with
the class takes as many columns, and numba keeps the tuple in registers: what a kernel does not use
is not loaded."""

from __future__ import annotations

from typing import NamedTuple


class TensorView(NamedTuple):
    """A map (n, h, w, c) in memory: the address of its first pixel, pitches in bytes."""

    address: int
    n: int
    h: int
    w: int
    c: int
    vectors: int
    """Vectors of channels, the last one padded with zeros."""
    image: int
    """From a picture to the next."""
    row: int
    pixel: int


NO_VIEW = TensorView(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""For a map that is not there: its address is 0."""


class ChannelArrays(NamedTuple):
    """Addresses of arrays of a float a channel, padded to whole vectors; 0: not there.

    A normalisation is (x - mean) scale + shift; its delta, a (d - e) + b (x - mean).
    """

    mean: int = 0
    scale: int = 0
    shift: int = 0
    a: int = 0
    b: int = 0
    e: int = 0


class Epilogue(NamedTuple):
    """What becomes of a result before it is stored: addresses, 0 for what is not there.

    slopes: of an activation, see epilogue.SLOPES. residual, residual_after: bytes from where the
    result goes to a map of the same shape and pitches, added before or after the activation. mask:
    0, or two slopes, by which the map at residual_after, an activation's output, lets the result
    through instead of being added.
    """

    biases: int = 0
    slopes: int = 0
    residual: int = 0
    residual_after: int = 0
    mask: int = 0


class PackedWeights(NamedTuple):
    """Where a window's numbers lie, and the weights for them: `segment_count` segments of `length`
    numbers each; the address of the segments' offsets in bytes, and that of the weights, in
    panels."""

    segments: int
    segment_count: int
    length: int
    weights: int
