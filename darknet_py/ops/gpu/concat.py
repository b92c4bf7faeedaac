"""Maps joined along their channels, by copies on the device alone.

cupy's own concatenation may send a list of addresses from the host, which no CUDA graph can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy as cp

Array = Any


def concat(maps: Sequence[Array]) -> Array:
    """Maps of one height and width, joined along their channels."""
    channels = sum(x.shape[-1] for x in maps)
    y = cp.empty((*maps[0].shape[:-1], channels), maps[0].dtype)
    start = 0
    for x in maps:
        end = start + x.shape[-1]
        y[..., start:end] = x
        start = end
    return y
