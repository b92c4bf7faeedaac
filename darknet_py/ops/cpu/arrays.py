"""numpy arrays, to and from the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.array_types import Array


def array(host: Array, dtype: Any = np.float32) -> Array:
    """A contiguous array of this device with a copy of `host`."""
    return np.array(host, dtype=dtype, order="C")


def to_host(x: Array) -> np.ndarray:
    """A numpy array with the values of x."""
    return np.asarray(x)
