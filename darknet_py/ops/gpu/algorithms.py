"""By what a call is computed, noted while it runs: `darknet plan` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

CUDNN, COLUMNS, KERNEL, CUPY = "cudnn", "columns + cublas", "kernel", "cupy"
"""The first of these that a call uses is its algorithm: what else it does is small beside it."""

_seen: list[str] | None = None


def note_algorithm(algorithm: str) -> None:
    """To be called by what computes."""
    if _seen is not None:
        _seen.append(algorithm)


@contextmanager
def note_algorithms() -> Iterator[list[str]]:
    """A list that gets what is used within the block."""
    global _seen  # noqa: PLW0603
    seen: list[str] = []
    _seen = seen
    try:
        yield seen
    finally:
        _seen = None


def algorithm(seen: list[str]) -> str:
    """What it all comes to; cupy's own kernels say nothing."""
    return next((each for each in (CUDNN, COLUMNS, KERNEL) if each in seen), CUPY)
