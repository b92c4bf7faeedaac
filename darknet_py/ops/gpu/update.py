"""Optimiser steps, each in one launch for all parameters: one for each would cost small networks
more than the steps. They change `values` and their state in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy as cp
import numpy as np

from darknet_py.ops import update
from darknet_py.ops.array_types import Array
from darknet_py.ops.gpu.kernel import THREADS, has_kernels, launch

_ARRAYS = 4
"""How many arrays a row of the table has at most: see cuda/update.cu."""
_BLOCKS, _ROWS = 512, 65535
"""Of a grid: blocks for one parameter, of which a small one uses the first alone; parameters."""


def sgd_update(
    values: Sequence[Array],
    updates: Sequence[Array],
    rates: Sequence[float],
    momentum: float,
    decays: Sequence[float],
    batch: int,
) -> None:
    """One step of gradient descent. What stays in `updates`, times momentum, is the velocity."""
    steps = [rate / batch for rate in rates]
    _pass("sgd_update", (values, updates), (steps, _whole(decays, batch)), momentum)


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
    numbers = beta1, beta2, epsilon, 1 - beta1**t, 1 - beta2**t
    each = rates, _whole(decays, batch)
    _pass("adam_update", (values, updates, ms, vs), each, *numbers)


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
    each = rates, _whole(decays, batch)
    _pass("rmsprop_update", (values, updates, vs), each, rho, epsilon)


def average_step(averages: Sequence[Array], values: Sequence[Array], keep: float) -> None:
    """average = keep average + (1 - keep) value, in place; what is equal stays equal."""
    nothing = [0.0] * len(values)
    _pass("average_step", (averages, values), (nothing, nothing), 1 - keep)


def is_finite(*arrays: Array) -> bool:
    """Whether every value is a finite number."""
    if not arrays or not has_kernels(*arrays):
        return update.is_finite(*arrays)
    # one transfer from the device for all of them
    bad = cp.zeros(1, cp.float64)
    nothing = [0.0] * len(arrays)
    _pass("find_bad", (arrays,), (nothing, nothing), bad)
    return not bool(bad[0])


def _whole(decays: Sequence[float], batch: int) -> list[float]:
    return [decay * batch for decay in decays]


def _pass(
    name: str,
    arrays: Sequence[Sequence[Array]],
    each: tuple[Sequence[float], Sequence[float]],
    *given: Any,
) -> None:
    """A kernel over a table of parameters. each: two numbers for every one."""
    firsts = arrays[0]
    if not firsts:
        return
    table = np.zeros((len(firsts), _ARRAYS + 3), np.int64)
    for column, column_arrays in enumerate(arrays):
        table[:, column] = [x.data.ptr for x in column_arrays]
    table[:, _ARRAYS] = [x.size for x in firsts]
    table[:, _ARRAYS + 1 :] = np.array(each, np.float64).T.copy().view(np.int64)
    blocks = min(-(-max(x.size for x in firsts) // THREADS), _BLOCKS)
    grid = blocks, min(len(firsts), _ROWS)
    launch(name, firsts[0].dtype, grid, cp.array(table), len(firsts), *given)
