"""Dropout: the mask is a hash of each place, computed where it is needed and not stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import (
    F32,
    I32,
    I64,
    Builder,
    Value,
    const,
    function,
    instruction,
    load,
    offset,
    pointer,
    splat,
    store,
    where,
    zero,
)
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.indexing import pixel_at
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import VECTOR
from darknet_py.ops.cpu.compile.match import Chain, Rules
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.graph import TensorSpec

_BITS = 24
"""Of a hash, that make a number from 0 up to 1."""


def dropout_reference(x: np.ndarray, probability: float, key: int) -> np.ndarray:
    """x / (1 - probability), or 0 where SplitMix64 of the place and the key is below it."""
    bits, y = (1 << 64) - 1, np.empty_like(x)
    for place, i in enumerate(np.ndindex(x.shape)):
        z = (place ^ key) + 0x9E3779B97F4A7C15 & bits
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & bits
        z = (z ^ z >> 27) * 0x94D049BB133111EB & bits
        uniform = (z ^ z >> 31) >> 40
        keep = uniform >= np.float32(probability) * 2**_BITS
        y[i] = x[i] * (keep / (1 - np.float32(probability)))
    return y


@function
def load_key(builder: Builder, address: Value) -> Value:
    """64 bits, of four floats that have 16 each: see ops.random.random_key."""
    key = const(0)
    for number in range(4):
        place = pointer(builder, offset(builder, address, 4 * number), F32)
        part = builder.fptoui(builder.load(place, align=4), I64)
        key = builder.or_(key, builder.shl(part, const(16 * number)))
    return key


@instruction
def drop(
    builder: Builder, x: Value, y: Value, place: Value, key: Value, threshold: Value, scale: Value
) -> None:
    """One vector of channels; place: of the first. scale: the address of 1 / (1 - probability)."""
    kind = ir.VectorType(I64, vector_length())

    def spread(number: Value) -> Value:
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, I32(0))
        return builder.shuffle_vector(
            first, first, ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count)
        )

    def shifted(z: Value, by: int) -> Value:
        return builder.xor(z, builder.lshr(z, spread(const(by))))

    def times(z: Value, factor: int) -> Value:
        return builder.mul(z, spread(const(factor - (1 << 64))))

    places = builder.add(spread(place), ir.Constant(kind, list(range(kind.count))))
    golden = spread(const(0x9E3779B97F4A7C15 - (1 << 64)))
    z = builder.add(builder.xor(places, spread(key)), golden)
    z = times(shifted(z, 30), 0xBF58476D1CE4E5B9)
    z = shifted(times(shifted(z, 27), 0x94D049BB133111EB), 31)
    uniform = builder.lshr(z, spread(const(64 - _BITS)))
    keep = builder.icmp_unsigned(">=", uniform, spread(threshold))
    store(load(builder, x) * where(keep, splat(builder, scale), zero(builder)), y)


@kernel
def dropout(
    thread: int, threads: int, x: TensorView, y: TensorView, key: int, threshold: int, scale: int
) -> None:
    """key: the address of four floats; threshold: of 2^24 numbers, so many are left out."""
    bits = load_key(key)
    rows = x.n * x.h
    for number in range(rows * thread // threads, rows * (thread + 1) // threads):
        b = number // x.h
        row = number - b * x.h
        here, to = pixel_at(x, b, row, 0), pixel_at(y, b, row, 0)
        for column in range(x.w):
            place = (number * x.w + column) * x.c
            for k in range(x.vectors):
                at = k * VECTOR
                drop(here + at, to + at, place + at // 4, bits, threshold, scale)
            here += x.pixel
            to += y.pixel


@dataclass
class Dropout(Step):
    """Of a map, or in the backward pass of its delta: see ops.dropout."""

    READS = "x", "key"
    x: TensorSpec
    y: TensorSpec
    probability: float
    key: TensorSpec

    def rows(self, binding: Binding) -> Rows:
        x, y = binding.place(self.x), binding.place(self.y)
        probability = np.float32(self.probability)
        threshold = math.ceil(probability * 2.0**_BITS)
        scale = binding.floats([np.float32(1) / (1 - probability)])
        key = binding.place(self.key).address
        return [dropout.step(x=x, y=y, key=key, threshold=threshold, scale=scale)]


def match_dropout(chain: Chain) -> Step | None:
    x, probability, key = chain.call.arguments
    return Dropout(x, chain.call.result, probability, key)


RULES: Rules = {"dropout": match_dropout}
