"""What the processor can do at most, measured."""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from darknet_py.ops.cpu.compile.allocate import aligned
from darknet_py.ops.cpu.compile.table import run_row
from darknet_py.ops.cpu.operations.convolution.peak_kernel import OPERATIONS, ROOM, multiply
from darknet_py.ops.cpu.runtime.threads import thread_count

_TIMES = 20_000


@cache
def peak() -> float:
    """GFLOP/s of all threads, on numbers that stay in the first cache: the best of ten runs."""
    numbers = aligned(2 * ROOM * thread_count())
    row = multiply.step(numbers=numbers.ctypes.data, times=_TIMES)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        run_row(row)
        seconds.append(time.perf_counter() - start)
    return float(OPERATIONS * _TIMES * thread_count() / np.min(seconds) / 1e9)
