"""Optimiser steps on parameters: see ops/update.py."""

from __future__ import annotations

from darknet_py.ops.cpu.kernels.partial import load_first, store_first
from darknet_py.ops.cpu.kernels.tile import FLOAT
from darknet_py.ops.cpu.native.emit import (
    Builder,
    Loop,
    Value,
    const,
    instruction,
    load,
    splat,
    store,
)
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.native.kernel import kernel

_length = vector_length()


@instruction
def update_some(
    builder: Builder,
    value: Value,
    updates: Value,
    count: Value,
    rate: Value,
    momentum: Value,
    decay: Value,
) -> None:
    """`count` numbers, each product and each sum rounded, as numpy does it."""
    by_rate, by_momentum, by_decay = (splat(builder, a).value for a in (rate, momentum, decay))

    def update(old: Value, sums: Value) -> tuple[Value, Value]:
        sums = builder.fsub(sums, builder.fmul(by_decay, old))
        return builder.fadd(old, builder.fmul(by_rate, sums)), builder.fmul(sums, by_momentum)

    whole = builder.and_(count, const(-_length))
    with Loop(builder, whole, _length) as i:
        at = builder.mul(i, const(FLOAT))
        places = builder.add(value, at), builder.add(updates, at)
        old, sums = (load(builder, place) for place in places)
        for vector, result, place in zip(
            (old, sums), update(old.value, sums.value), places, strict=True
        ):
            store(type(vector)(builder, result), place)
    at = builder.mul(whole, const(FLOAT))
    rest = builder.sub(count, whole)
    places = builder.add(value, at), builder.add(updates, at)
    old, sums = (load_first(builder, place, rest) for place in places)
    for vector, result, place in zip(
        (old, sums), update(old.value, sums.value), places, strict=True
    ):
        store_first(type(vector)(builder, result), place, rest)


@kernel
def sgd_update(thread, threads, value, updates, count, rate, momentum, decay):  # type: ignore[no-untyped-def]
    """updates -= decay value; value += rate updates; updates *= momentum: of `count` floats.

    rate, momentum, decay: addresses of floats; rate / batch and decay * batch are meant.
    """
    vectors = (count + _length - 1) // _length
    first = vectors * thread // threads * _length
    last = min(vectors * (thread + 1) // threads * _length, count)
    if first < last:
        update_some(value + 4 * first, updates + 4 * first, last - first, rate, momentum, decay)
