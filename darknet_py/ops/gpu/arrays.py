"""cupy arrays, from and to the host."""

from __future__ import annotations

from typing import Any

import cupy as cp
import numpy as np

from darknet_py.ops.gpu.faults import out_of_memory

Array = Any


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
