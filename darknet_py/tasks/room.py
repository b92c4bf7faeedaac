"""Whether a batch fits into memory, and which subdivisions of it would."""

from __future__ import annotations

from darknet_py.network import Network
from darknet_py.tasks.check import training_memory
from darknet_py.tasks.dream.memory import free_memory

_MB = 1 << 20


def room_problem(net: Network, averaged: bool, processes: int = 1) -> str | None:
    """A line where a training on the CPU needs more memory than is free; None where it fits."""
    if net.engine.free_memory() is not None:  # a device says so itself, and knows better
        return None
    needed, free = training_memory(net, averaged, processes), free_memory(net)
    return batch_too_large(net, averaged, processes) if needed > free else None


def batch_too_large(net: Network, averaged: bool, processes: int = 1) -> str:
    """A line that says so, and what would fit."""
    free, now = free_memory(net), net.settings.subdivisions
    batch = net.settings.batch // processes
    needed = training_memory(net, averaged, processes)
    parts = [parts for parts in range(now + 1, batch + 1) if batch % parts == 0]
    # what was refused though it seemed to fit needs less, too: half of it at most
    limit = min(free, needed // 2) if needed <= free else free
    fitting = (n for n in parts if training_memory(net, averaged, processes, n) <= limit)
    found = next(fitting, None)
    if found is not None:
        advice = f"subdivisions={found} in its [net] would fit"
    elif parts:
        advice = (
            f"not even subdivisions={parts[-1]} would fit: make the network or its pictures smaller"
        )
    else:
        advice = "make the network or its pictures smaller"
    return (
        f"{net.path}: a batch of {net.settings.batch} in {now} part{'s' * (now > 1)} does not fit "
        f"into memory: it needs about {needed / _MB:,.0f} MB, and {free / _MB:,.0f} MB are free: "
        f"{advice}"
    )
