"""Whether a batch fits into memory, and which subdivisions of it would."""

from __future__ import annotations

from typing import NamedTuple

from darknet_py.network import Network
from darknet_py.ops.memory import available_memory
from darknet_py.tasks.check import training_memory

_MB = 1 << 20
_LEAST = 0.8
"""Of the forecast, what a training takes at least: measured with tiny, darknet and resnet18."""
_SHARE = 0.8
"""Of what is free, what advice counts on."""


class RoomProblem(NamedTuple):
    """A line that says that a batch is too large, and whether that is certain."""

    line: str
    is_certain: bool


def room_problem(net: Network, averaged: bool, processes: int = 1) -> RoomProblem | None:
    """None where a training on the CPU has the memory that it needs, about. A GPU says so itself,
    when it is asked for more than it has."""
    if net.engine.free_memory() is not None:
        return None
    needed, free = training_memory(net, averaged, processes), available_memory()
    if needed <= free:
        return None
    return RoomProblem(batch_too_large(net, averaged, processes), _LEAST * needed > free)


def batch_too_large(net: Network, averaged: bool, processes: int = 1) -> str:
    """A line that says so, and what would fit."""
    free, now = int(_SHARE * available_memory()), net.settings.subdivisions
    batch = net.settings.batch // processes
    needed = training_memory(net, averaged, processes)
    # what was refused though it seemed to fit is to need half of that at most
    limit = free if needed > free else needed // 2
    parts = [parts for parts in range(now + 1, batch + 1) if batch % parts == 0]
    fitting = (n for n in parts if training_memory(net, averaged, processes, n) <= limit)
    found = next(fitting, None)
    smaller = "make the network or its pictures smaller"
    advice = f"subdivisions={found} in [net] would fit" if found else smaller
    return (
        f"{net.path}: batch={net.settings.batch} with subdivisions={now} needs about "
        f"{needed / _MB:,.0f} MB of memory, and {free / _MB:,.0f} MB may be taken: {advice}"
    )
