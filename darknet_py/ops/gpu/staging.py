"""Arrays on their way from the host, through pinned memory, which the device reads by itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import cupy as cp
import numpy as np
from cupyx import empty_pinned

Array = Any

_PIECE = 1 << 19
"""Numbers: a large array goes in pieces, so that the first travels while others are copied."""
_THREADS = 4
"""One thread copies at less than half of what the bus to the device carries."""


class StagingBuffer:
    """Pinned memory for arrays of one shape. `device` is where the device has the last one."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.device: Array = cp.empty(shape, cp.float32)
        self._pinned = empty_pinned(shape, np.float32)

    def send(self, x: np.ndarray, stream: Any) -> None:
        """x: float32, of this shape; may change on return. The one before has arrived."""
        if x.size <= _PIECE or not x.flags.c_contiguous:
            self._pinned[...] = x
            self.device.set(self._pinned, stream=stream)
            return
        given, pinned = x.reshape(-1), self._pinned.reshape(-1)
        device = self.device.reshape(-1)
        parts = [slice(first, first + _PIECE) for first in range(0, x.size, _PIECE)]
        copies = [_copiers().submit(np.copyto, pinned[part], given[part]) for part in parts]
        for part, copy in zip(parts, copies, strict=True):
            copy.result()
            device[part].set(pinned[part], stream=stream)


@cache
def _copiers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="darknet-staging")
