"""Weights (filters, size, size, c) to the panels that convolutions read, forward and backward.

A panel is a matrix of rows of a few vectors of filters; the filters that are left have panels of
one vector behind the others. Rows are (tap, c) for a direct convolution, a tap being a place in the
window, and (product, c) for Winograd's. Where maps are padded, weights are zeros.

Backward means the convolution of stride 1 that gives the input's delta: windows turned by 180
degrees, filters and channels exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import I64 as _I64
from darknet_py.ops.cpu.codegen.emit import (
    Builder,
    Instruction,
    Pair,
    Value,
    Variables,
    Vector,
    const,
    constant,
    function,
    instruction,
    load,
    load_first,
    splat,
    store,
    transposed,
    vector_type,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import Kernel, kernel, part
from darknet_py.ops.cpu.codegen.tile import PANEL, VECTOR
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.compile.step import run_row
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import (
    WINOGRAD,
    both_ways,
    store_apart,
)
from darknet_py.ops.normalize import Epsilon, divisor

AHEAD = 4096
"""Floats after the last that kernels may prefetch."""


def pack_reference(weights: np.ndarray, panel: int) -> np.ndarray:
    """(filters, taps, c) in whole vectors -> panels, one after the other, of rows (tap, c)."""
    filters, rows = len(weights), weights[0].size
    matrix, length = weights.reshape(filters, rows).T, vector_length()
    full = filters // length // panel * panel * length
    firsts = [*range(0, full, panel * length), *range(full, filters, length), filters]
    return np.concatenate([matrix[:, a:b].ravel() for a, b in pairwise(firsts)])


_length = vector_length()


@part
def panel_start(vector, vectors, panel, rows):  # type: ignore[no-untyped-def]
    """Where a vector of filters begins in panels, and the bytes from one row of it to the next."""
    full = vectors // panel * panel
    if vector < full:
        first = vector // panel * panel
        return first * rows * VECTOR + (vector - first) * VECTOR, panel * VECTOR
    return vector * rows * VECTOR, VECTOR


@instruction
def turn_square(
    builder: Builder, source: Pair, counts: Pair, out: Pair, wanted: Value, factors: Value
) -> None:
    """Of a matrix, a vector's length squared: its columns, stored as rows, the first `wanted`.

    counts: rows and columns that are there; the others are zero. factors: a vector to multiply them
    with, or 0 for none.
    """
    rows, columns = counts
    square = []
    for i in range(_length):
        count = builder.select(builder.icmp_signed("<", const(i), rows), columns, const(0))
        place = builder.add(source[0], builder.mul(source[1], const(i)))
        square.append(load_first(builder, place, count))
    scale = _factor(builder, factors, vector=True)
    for i, x in enumerate(transposed(square)):
        with builder.if_then(builder.icmp_signed("<", const(i), wanted)):
            store(x * scale, builder.add(out[0], builder.mul(out[1], const(i))))


@instruction
def copy_row(builder: Builder, to: Value, source: Value, count: Value, factor: Value) -> None:
    """The first `count` numbers, zeros behind; times the float at `factor`, if that is not 0."""
    store(load_first(builder, source, count) * _factor(builder, factor, vector=False), to)


def _factor(builder: Builder, address: Value, vector: bool) -> Vector:
    """The vector, or the number, at an address; 1 if that is 0."""
    factor = Variables(builder, [Vector(builder, constant(1.0, _length))])
    with builder.if_then(builder.icmp_signed("!=", address, const(0))):
        factor.set([load(builder, address) if vector else splat(builder, address)])
    return factor.get()[0]


def make_products(m: int, size: int) -> Instruction:
    """size x size vectors of weights to the n^2 of G w G'."""

    @instruction
    def to_products(builder: Builder, source: Pair, count: Value, factor: Value, out: Pair) -> None:
        scale = _factor(builder, factor, vector=False)
        taps = [builder.add(source[0], builder.mul(source[1], const(i))) for i in range(size**2)]
        window = [load_first(builder, tap, count) * scale for tap in taps]
        square = [window[i : i + size] for i in range(0, size**2, size)]
        rows = both_ways(lambda x: multiplied(WINOGRAD[m, size].g, x), square)
        store_apart([x for row in rows for x in row], out)

    return to_products


def multiplied(matrix: np.ndarray, vectors: Sequence[Vector]) -> list[Vector]:
    """A matrix of numbers times a column of vectors."""
    results = []
    for row in matrix.tolist():
        terms = [x if n == 1 else x * n for n, x in zip(row, vectors, strict=True) if n]
        results.append(sum(terms[1:], start=terms[0]))
    return results


@function
def stack(builder: Builder, _: Value) -> Value:
    """The address of 25 squares of vectors, on the thread's stack."""
    with builder.goto_entry_block():
        place = builder.alloca(ir.ArrayType(vector_type(), 25 * _length))
    return builder.ptrtoint(place, _I64)


@kernel
def pack_direct(thread, threads, weights, packed, filters, taps, c, c_padded, panel, factors):  # type: ignore[no-untyped-def]
    """For direct.py: taps = size * size; c_padded: the channels of the map; panel: its vectors.

    factors: one float for each filter, padded to whole vectors, or 0 for none.
    """
    vectors = (filters + _length - 1) // _length
    for v in range(vectors * thread // threads, vectors * (thread + 1) // threads):
        start, step = panel_start(v, vectors, panel, taps * c_padded)
        first = v * _length
        factor = factors + 4 * first if factors != 0 else 0
        for tap in range(taps):
            for k in range(0, c_padded, _length):
                source = weights + 4 * ((first * taps + tap) * c + k), 4 * taps * c
                out = packed + start + (tap * c_padded + k) * step, step
                turn_square(source, (filters - first, c - k), out, c_padded - k, factor)


@kernel
def pack_direct_backward(  # type: ignore[no-untyped-def]
    thread, threads, weights, packed, filters, taps, c, filters_padded, panel, factors
):
    """The same, backward; filters_padded: the channels of the delta's map."""
    vectors = (c + _length - 1) // _length
    first, last = vectors * thread // threads, vectors * (thread + 1) // threads
    for f in range(filters_padded):
        factor = factors + 4 * f if factors != 0 else 0
        for tap in range(taps):
            source = weights + 4 * (f * taps + taps - 1 - tap) * c
            for v in range(first, last):
                start, step = panel_start(v, vectors, panel, taps * filters_padded)
                k = v * _length
                copy_row(
                    packed + start + (tap * filters_padded + f) * step,
                    source + 4 * k,
                    c - k if f < filters else 0,
                    factor,
                )


def make_pack_winograd(m: int, size: int) -> Kernel:
    to_products = make_products(m, size)
    count, taps = (m + size - 1) ** 2, size**2

    def pack_winograd(thread, threads, weights, packed, filters, c, c_padded, factors):  # type: ignore[no-untyped-def]
        """For winograd.py: panels of n^2 matrices (c_padded, filters)."""
        square = stack(0)
        vectors = (filters + _length - 1) // _length
        for v in range(vectors * thread // threads, vectors * (thread + 1) // threads):
            start, step = panel_start(v, vectors, PANEL, count * c_padded)
            first = v * _length
            factor = factors + 4 * first if factors != 0 else 0
            for k in range(0, c_padded, _length):
                for tap in range(taps):
                    source = weights + 4 * ((first * taps + tap) * c + k), 4 * taps * c
                    out = square + tap * _length * VECTOR, VECTOR
                    turn_square(source, (filters - first, c - k), out, _length, factor)
                for i in range(_length):
                    source = square + i * VECTOR, _length * VECTOR
                    out = packed + start + (k + i) * step, c_padded * step
                    to_products(source, _length, 0, out)

    pack_winograd.__name__ = f"pack_winograd{m}_{size}"
    return kernel(pack_winograd)


def make_pack_winograd_backward(m: int, size: int) -> Kernel:
    to_products = make_products(m, size)
    count, taps = (m + size - 1) ** 2, size**2

    def pack_winograd(thread, threads, weights, packed, filters, c, filters_padded, factors):  # type: ignore[no-untyped-def]
        """The same, backward; filters_padded: the channels of the delta's map."""
        vectors = (c + _length - 1) // _length
        first, last = vectors * thread // threads, vectors * (thread + 1) // threads
        for f in range(filters_padded):
            factor = factors + 4 * f if factors != 0 else 0
            for v in range(first, last):
                start, step = panel_start(v, vectors, PANEL, count * filters_padded)
                k = v * _length
                source = weights + 4 * ((f * taps + taps - 1) * c + k), -4 * c
                out = packed + start + f * step, filters_padded * step
                to_products(source, c - k if f < filters else 0, factor, out)

    pack_winograd.__name__ = f"pack_winograd{m}_{size}_backward"
    return kernel(pack_winograd)


PACK_WINOGRAD = {(m, size): make_pack_winograd(m, size) for m, size in WINOGRAD}
PACK_WINOGRAD_BACKWARD = {(m, size): make_pack_winograd_backward(m, size) for m, size in WINOGRAD}


@dataclass(frozen=True)
class Packing:
    """How kernels want the weights (filters, rows, columns, channels) of a convolution.

    m: Winograd's tiles, 0 for direct; c: the map's channels, padded; panel: vectors of filters in a
    panel of a direct convolution; backward: for the convolution that gives the input's delta, whose
    filters are these weights' channels (c: then of the delta's map).
    """

    m: int
    c: int
    panel: int = PANEL
    backward: bool = False

    def floats(self, weights: np.ndarray) -> int:
        """Room for the packed weights."""
        filters, high, wide, channels = weights.shape
        places = int((self.m + high - 1) ** 2 if self.m else high * wide)
        return places * self.c * padded(channels if self.backward else filters) + AHEAD

    def row(self, weights: np.ndarray, packed: int, factors: int) -> list[int]:
        """A row that packs. packed: an address; factors: of a float a filter (padded), or 0."""
        filters, high, wide, channels = weights.shape
        arguments = {
            "weights": weights.ctypes.data,
            "packed": packed,
            "filters": filters,
            "c": channels,
            "factors": factors,
            "filters_padded" if self.backward else "c_padded": self.c,
        }
        if self.m:
            kernels = PACK_WINOGRAD_BACKWARD if self.backward else PACK_WINOGRAD
            return kernels[self.m, high].step(**arguments)
        pack = pack_direct_backward if self.backward else pack_direct
        return pack.step(taps=high * wide, panel=self.panel, **arguments)

    def packed(self, weights: np.ndarray, factors: int) -> np.ndarray:
        """Weights packed now."""
        out = aligned(self.floats(weights))
        run_row(self.row(weights, out.ctypes.data, factors))
        return out


class Norm(NamedTuple):
    """Batch norm by constants: see ops.normalize.batchnorm."""

    scales: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: Epsilon


def folded(
    weights: np.ndarray, biases: np.ndarray | None, norm: Norm | None
) -> tuple[np.ndarray | None, np.ndarray]:
    """A factor for each filter (None: 1) and the biases, of weights with batch normalisation: both
    in whole vectors."""
    filters = weights.shape[0]
    shift = np.zeros(filters, np.float64) if biases is None else biases.astype(np.float64)
    if norm is None:
        return None, pad(shift)
    scales, mean, variance = (x.astype(np.float64) for x in norm[:3])
    factor = scales / divisor(variance, norm.epsilon)
    return pad(factor), pad(shift - mean * factor)


def pad(values: np.ndarray) -> np.ndarray:
    """As float32, with zeros up to whole vectors."""
    out = aligned(padded(len(values)))
    out[: len(values)] = values
    return out
