"""Optimiser steps: they change `value` and their state in place.

`updates` is the sum over a batch of negative gradients, so decay is multiplied by the batch:
SGD adds rate / batch * (updates - decay * batch * value). Adam's step does not depend on the
scale of the updates; its rate is not divided.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

Array = Any


def accumulate(array: Array, value: Array) -> None:
    """array += value, of one shape, in place."""
    array += value


def sgd_update(
    value: Array, updates: Array, rate: float, momentum: float, decay: float, batch: int
) -> None:
    """One step of gradient descent. What stays in `updates`, times momentum, is the velocity."""
    if decay:
        updates -= decay * batch * value
    value += rate / batch * updates
    updates *= momentum


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
    updates -= decay * batch * value
    m *= beta1
    m += (1 - beta1) * updates
    v *= beta2
    v += (1 - beta2) * np.square(updates)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    value += rate * m_hat / (np.sqrt(v_hat) + epsilon)
    updates[...] = 0


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
    if decay:
        updates -= decay * batch * value
    v *= rho
    v += (1 - rho) * np.square(updates)
    value += rate * updates / (np.sqrt(v) + epsilon)
    updates[...] = 0


def average_step(average: Array, value: Array, keep: float) -> None:
    """average = keep average + (1 - keep) value, in place; what is equal stays equal."""
    average += (1 - keep) * (value - average)


def swap(one: Array, other: Array) -> None:
    """Each gets the other's values, in place."""
    values = one.copy()
    one[...] = other
    other[...] = values


def is_finite(*arrays: Array) -> bool:
    """Whether every value is a finite number."""
    # a device is asked once, for all of them
    flags = [np.isfinite(x).all() for x in arrays]
    return not flags or bool(reduce(np.logical_and, flags))


def clip(value: Array, limit: float) -> None:
    """value kept within -limit to limit, in place (darknet's constrain)."""
    np.clip(value, -limit, limit, out=value)


def dream_delta(y: Array, thresh: float) -> Array:
    """y where it exceeds its picture's mean + thresh standard deviations, else 0."""
    axes = (1, 2, 3)
    mean = y.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = y.std(axis=axes, keepdims=True, dtype=np.float64)
    limit = (mean + thresh * deviation).astype(y.dtype)
    return np.where(y > limit, y, 0).astype(y.dtype)
