"""Optimiser steps: they change `values` and their state in place, all parameters at once.

`updates` are the sums over a batch of negative gradients, so decay is multiplied by the batch:
SGD adds rate / batch * (updates - decay * batch * value). Adam's step does not depend on the
scale of the updates; its rate is not divided. `rates` and `decays` have a number for each
parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from darknet_py.ops.array_types import Array


def accumulate(array: Array, value: Array) -> None:
    """array += value, of one shape, in place."""
    array += value


def sgd_update(
    values: Sequence[Array],
    updates: Sequence[Array],
    rates: Sequence[float],
    momentum: float,
    decays: Sequence[float],
    batch: int,
) -> None:
    """One step of gradient descent. What stays in `updates`, times momentum, is the velocity."""
    for value, update, rate, decay in zip(values, updates, rates, decays, strict=True):
        if decay:
            update -= decay * batch * value
        value += rate / batch * update
        update *= momentum


def adam_update(
    values: Sequence[Array],
    updates: Sequence[Array],
    ms: Sequence[Array],
    vs: Sequence[Array],
    rates: Sequence[float],
    beta1: float,
    beta2: float,
    epsilon: float,
    decays: Sequence[float],
    batch: int,
    t: int,
) -> None:
    """One step of Adam (Kingma, Ba 2015), as darknet's adam_update_gpu; t counts from 1.

    ms and vs are the moments. `updates` are left at zero.
    """
    given = zip(values, updates, ms, vs, rates, decays, strict=True)
    for value, update, m, v, rate, decay in given:
        update -= decay * batch * value
        m *= beta1
        m += (1 - beta1) * update
        v *= beta2
        v += (1 - beta2) * np.square(update)
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        value += rate * m_hat / (np.sqrt(v_hat) + epsilon)
        update[...] = 0


def rmsprop_update(
    values: Sequence[Array],
    updates: Sequence[Array],
    vs: Sequence[Array],
    rates: Sequence[float],
    rho: float,
    epsilon: float,
    decays: Sequence[float],
    batch: int,
) -> None:
    """One step of RMSprop (Hinton, Tieleman 2012): rate times updates over their rolling root
    mean square vs. `updates` are left at zero."""
    for value, update, v, rate, decay in zip(values, updates, vs, rates, decays, strict=True):
        if decay:
            update -= decay * batch * value
        v *= rho
        v += (1 - rho) * np.square(update)
        value += rate * update / (np.sqrt(v) + epsilon)
        update[...] = 0


def average_step(averages: Sequence[Array], values: Sequence[Array], keep: float) -> None:
    """average = keep average + (1 - keep) value, in place; what is equal stays equal."""
    for average, value in zip(averages, values, strict=True):
        average += (1 - keep) * (value - average)


def swap(one: Array, other: Array) -> None:
    """Each gets the other's values, in place."""
    values = one.copy()
    one[...] = other
    other[...] = values


def is_finite(*arrays: Array) -> bool:
    """Whether every value is a finite number."""
    # one transfer from the device for all of them
    flags = [np.isfinite(x).all() for x in arrays]
    return not flags or bool(reduce(np.logical_and, flags))


def clip(value: Array, limit: float) -> None:
    """value kept within -limit to limit, in place (darknet's constrain)."""
    np.clip(value, -limit, limit, out=value)
