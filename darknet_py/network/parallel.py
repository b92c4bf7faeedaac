"""Data parallelism: one batch, computed by several processes, each with a part of its pictures.

Process r of n, with s subdivisions, computes what subdivisions r * s to (r + 1) * s - 1 of n * s
would in one process, random draws included. Updates and losses are summed, batch norm's rolling
statistics averaged, so that all processes stay equal.
"""

from __future__ import annotations

import numpy as np

from darknet_py.errors import CfgError
from darknet_py.network.model import Communicator, Model


def check_divisible(net: Model, size: int) -> None:
    """Raises CfgError for a batch that is not divisible by so many processes."""
    batch, subdivisions = net.settings.batch, net.settings.subdivisions
    if batch % (size * subdivisions):
        value = net.sections[0].values.get("batch")
        asked = f"{size} GPUs x subdivisions={subdivisions}"
        message = f"batch={batch}: expected a multiple of {asked} = {size * subdivisions}"
        raise CfgError(net.path, value.line if value else None, message)


def begin(net: Model, communicator: Communicator) -> None:
    """Before a batch: SGD's velocity, which is summed with the updates, stays in one process."""
    if communicator.rank:
        for parameter in net.parameters():
            if parameter.updates is not None:
                parameter.updates[...] = 0  # SGD's velocity
    _skip_draws(net, communicator.rank)


def exchange(net: Model, communicator: Communicator, loss: float) -> float:
    """After a batch: all-reduces updates, rolling statistics and loss."""
    _skip_draws(net, communicator.size - 1 - communicator.rank)
    losses = net.ops.array(np.array([loss]), np.float64)
    learning = [layer.parameters() for layer in net.layers if not layer.frozen]
    parameters = [parameter for each in learning for parameter in each]
    rolling = [each.data for each in parameters if not each.learned]
    updates = [each.updates for each in parameters if each.learned]
    communicator.sum([losses, *updates, *rolling])
    for value in rolling:
        value *= 1 / communicator.size
    return float(net.ops.to_host(losses)[0]) / communicator.size


def least(net: Model, communicator: Communicator, number: int) -> int:
    """The minimum of the processes' numbers."""
    numbers = np.zeros(communicator.size)
    numbers[communicator.rank] = number
    there = net.ops.array(numbers, np.float64)
    communicator.sum([there])
    return int(net.ops.to_host(there).min())


def _skip_draws(net: Model, parts: int) -> None:
    """Advances the counters of random draws over other processes' parts of the batch."""
    for layer in net.layers:
        more = parts * net.settings.subdivisions
        layer.restore({name: count + more for name, count in layer.state().items()})
