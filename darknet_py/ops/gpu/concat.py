"""Maps joined, by copies on the device alone.

cupy's own concatenation may send a list of addresses from the host, which no CUDA graph can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy as cp

Array = Any


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
