"""cupy arrays: from and to the host, and concatenated, by copies on the device alone: cupy's own
concatenation may send a list of addresses from the host, which no CUDA graph can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy as cp
import numpy as np

from darknet_py.ops.array_types import Array
from darknet_py.ops.gpu.faults import out_of_memory


def array(host: Array, dtype: Any = np.float32) -> Array:
    """A contiguous array of this device with a copy of `host`."""
    try:
        return cp.array(host, dtype=dtype, order="C")
    except cp.cuda.memory.OutOfMemoryError as error:
        raise out_of_memory(error, cp.cuda.runtime.memGetInfo()[0], 0) from error


def to_host(x: Array) -> np.ndarray:
    """A numpy array with the values of x."""
    values: np.ndarray = cp.asnumpy(x)
    return values


def concat(maps: Sequence[Array]) -> Array:
    """Maps of one height and width, joined along their channels."""
    return _joined(maps, maps[0].ndim - 1)


def join_steps(steps: Sequence[Array]) -> Array:
    """Steps (batch, h, w, c), the first in time first, as one map (steps * batch, h, w, c)."""
    return _joined(steps, 0)


def _joined(maps: Sequence[Array], axis: int) -> Array:
    before, after = maps[0].shape[:axis], maps[0].shape[axis + 1 :]
    y = cp.empty((*before, sum(x.shape[axis] for x in maps), *after), maps[0].dtype)
    start = 0
    for x in maps:
        end = start + x.shape[axis]
        y[(*[slice(None)] * axis, slice(start, end))] = x
        start = end
    return y
