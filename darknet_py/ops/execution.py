"""What the engines of both devices take and answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from darknet_py.ops.graph import Graph


@dataclass(frozen=True)
class LazyGraph:
    """A graph that is traced once its batch is known: an engine compiles it, and keeps what it made
    of it by its key."""

    key: Hashable
    """What is computed, and for which size of picture."""
    trace: Callable[[int], Graph]
    """The graph of a batch of n."""
    parameters: Sequence[Any] = ()
    """Arrays that it reads; where they are no float32, all is computed as they are."""
    changing: bool = False
    """Whether parameters move between runs, and are read in each."""
    fresh: bool = False
    """Whether the graph is another one each time, and not kept."""
    time_steps: int = 1
    """So many rows make a sequence, and a batch of them is not cut."""


class Times(NamedTuple):
    """steps: of each its name, the shape of what it writes, its algorithm, its operations, seconds;
    peak: of the device, in GFLOP/s; megabytes: that the maps take. whole: seconds that one CUDA
    graph of all of them takes, or None; apart: why they are not one."""

    steps: list[tuple[str, tuple[int, ...], str, int, float]]
    peak: float
    megabytes: float
    whole: float | None = None
    apart: str = ""
