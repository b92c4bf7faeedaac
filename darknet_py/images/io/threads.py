"""One function for many pictures, on several threads: decoding leaves Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from darknet_py.ops.cpu.runtime.threads import thread_count

T = TypeVar("T")
R = TypeVar("R")


def in_threads(
    function: Callable[[T], R], items: Iterable[T], workers: int | None = None
) -> Generator[R]:
    """What the function gives for each item, in their order, as it is ready.

    `workers`: threads, by default one a core. Those that have not begun are dropped where the
    iterator is closed or one raises.
    """
    pool = ThreadPoolExecutor(workers or thread_count(), thread_name_prefix="darknet-pictures")
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)
