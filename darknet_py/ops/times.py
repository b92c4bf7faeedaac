"""What an engine says of the steps that it runs."""

from __future__ import annotations

from typing import NamedTuple


class Times(NamedTuple):
    """steps: of each its name, the shape of what it writes, its algorithm, its operations, seconds;
    peak: of the device, in GFLOP/s; megabytes: that the maps take. whole: seconds that one CUDA
    graph of all of them takes, or None; apart: why they are not one."""

    steps: list[tuple[str, tuple[int, ...], str, int, float]]
    peak: float
    megabytes: float
    whole: float | None = None
    apart: str = ""
