"""Work spread over the cores: Python threads, whose kernels and matrix products run without the
interpreter's lock.

The BLAS gets one thread meanwhile. Its own threads and ours, waiting for one another on the same
cores, made a training step take ten times as long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
R = TypeVar("R")

THREADS_VARIABLE = "DARKNET_NUM_THREADS"


@cache
def thread_count() -> int:
    """$DARKNET_NUM_THREADS, else the cores that this process may use."""
    wanted = os.environ.get(THREADS_VARIABLE, "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(task: Callable[[T], R], arguments: Sequence[T]) -> list[R]:
    """[task(argument) for each argument], on all threads; must not be called within a task."""
    with _blas().limit(limits=1, user_api="blas"):
        if thread_count() == 1 or len(arguments) == 1:
            return [task(argument) for argument in arguments]
        pool = _pool(os.getpid())
        # in the caller's context, so that its numpy.errstate holds there too
        futures = [pool.submit(copy_context().run, task, argument) for argument in arguments]
        return [future.result() for future in futures]


def spread(count: int) -> list[range]:
    """0 to count - 1 in equal parts, one a thread; fewer where there is less to do."""
    parts = min(thread_count(), max(count, 1))
    return [range(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    # by process: a fork has none of its parent's threads
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(thread_count(), thread_name_prefix="darknet")


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
