"""bfloat16 and back. An array of it is one of HALF, its bits: see kernel.py."""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.kernel import HALF, contiguous, launch_each

Array = Any


def narrow(x: Array) -> Array:
    """float32 to bfloat16, to the nearest, ties to even."""
    y = cp.empty(x.shape, HALF)
    launch_each("narrow", HALF, 1, x.size, y, contiguous(x), 1, x.size)
    return y


def widen(x: Array) -> Array:
    """bfloat16 to float32: exact."""
    y = cp.empty(x.shape, cp.float32)
    launch_each("widen", HALF, 1, x.size, y, contiguous(x), 1, x.size)
    return y
