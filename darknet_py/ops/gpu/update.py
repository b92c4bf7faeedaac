"""Optimiser steps, each in one pass: they change `value` and their state in place."""

from __future__ import annotations

from typing import Any

from darknet_py.ops.gpu.kernel import launch_each

Array = Any


def sgd_update(
    value: Array, updates: Array, rate: float, momentum: float, decay: float, batch: int
) -> None:
    """One step of gradient descent. What stays in `updates`, times momentum, is the velocity."""
    numbers = rate / batch, float(momentum), float(decay * batch)
    _step("sgd_update", value, updates, numbers)


def adam_update(
    value: Array,
    updates: Array,
    m: Array,
    v: Array,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    decay: float,
    batch: int,
    t: int,
) -> None:
    """One step of Adam (Kingma, Ba 2015), as darknet's adam_update_gpu; t counts from 1.

    m and v are the moments. `updates` is left at zero.
    """
    numbers = rate, beta1, beta2, epsilon, float(decay * batch), 1 - beta1**t, 1 - beta2**t
    _step("adam_update", value, updates, numbers, m, v)


def rmsprop_update(
    value: Array,
    updates: Array,
    v: Array,
    rate: float,
    rho: float,
    epsilon: float,
    decay: float,
    batch: int,
) -> None:
    """One step of RMSprop (Hinton, Tieleman 2012): rate times updates over their rolling root
    mean square v. `updates` is left at zero."""
    _step("rmsprop_update", value, updates, (rate, rho, epsilon, float(decay * batch)), v)


def _step(
    name: str, value: Array, updates: Array, numbers: tuple[float, ...], *moments: Array
) -> None:
    size = value.size
    arrays = value, updates, *moments
    launch_each(name, value.dtype, 1, size, *arrays, 1, size, *map(float, numbers))
