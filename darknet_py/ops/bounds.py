"""Minimum and maximum of an array on the host."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

_LARGE = 1 << 20
"""Numbers: from here on several threads are faster."""
_THREADS = 4
"""More are no faster: they wait for memory."""


def bounds(x: np.ndarray) -> tuple[float, float]:
    """Both NaN where there is one; raises ValueError for an empty array.

    Threads read a large one: one alone takes as long for a batch of 64 pictures as a GPU for all
    that it computes of them."""
    if x.size < _LARGE or not x.flags.c_contiguous:
        return float(x.min()), float(x.max())
    parts = [part for part in np.array_split(x.reshape(-1), _THREADS) if part.size]
    found = np.array(list(_pool(os.getpid()).map(lambda part: (part.min(), part.max()), parts)))
    return float(found[:, 0].min()), float(found[:, 1].max())


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    # by process: a fork has none of its parent's threads
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="darknet-bounds")
