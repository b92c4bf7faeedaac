"""One batch, computed by several processes, each with a part of its pictures.

Process r of n, with s subdivisions, computes what subdivisions r * s to (r + 1) * s - 1 of n * s
would in one process, random draws included. Updates and losses are summed, batch norm's rolling
statistics averaged, so that all processes stay equal.
"""

from __future__ import annotations

import numpy as np

from darknet_py.errors import CfgError
from darknet_py.network.model import Communicator, Model


def check_divisible(net: Model, size: int) -> None:
    """Raises CfgError for a batch that so many processes cannot share equally."""
    batch, subdivisions = net.settings.batch, net.settings.subdivisions
    if batch % (size * subdivisions):
        value = net.sections[0].values.get("batch")
        asked = f"{size} GPUs x subdivisions={subdivisions}"
        message = f"batch={batch}: expected a multiple of {asked} = {size * subdivisions}"
        raise CfgError(net.path, value.line if value else None, message)


def begin(net: Model, with_: Communicator) -> None:
    """Before a batch: what is to be counted once is kept by one."""
    if with_.rank:
        for parameter in net.parameters():
            if parameter.updates is not None:
                parameter.updates[...] = 0  # SGD's velocity
    _skip_draws(net, with_.rank)


def exchange(net: Model, with_: Communicator, loss: float) -> float:
    """After it: updates of the whole batch, and its loss from that of each part."""
    _skip_draws(net, with_.size - 1 - with_.rank)
    losses = net.ops.array(np.array([loss]), np.float64)
    learning = [layer.parameters() for layer in net.layers if not layer.frozen]
    parameters = [parameter for each in learning for parameter in each]
    rolling = [each.data for each in parameters if not each.learned]
    updates = [each.updates for each in parameters if each.learned]
    with_.sum([losses, *updates, *rolling])
    for value in rolling:
        value *= 1 / with_.size
    return float(net.ops.to_host(losses)[0]) / with_.size


def least(net: Model, with_: Communicator, number: int) -> int:
    """The least of the numbers that the processes have."""
    numbers = np.zeros(with_.size)
    numbers[with_.rank] = number
    there = net.ops.array(numbers, np.float64)
    with_.sum([there])
    return int(net.ops.to_host(there).min())


def _skip_draws(net: Model, parts: int) -> None:
    """Layers draw next as if other processes' parts of the batch had been here."""
    for layer in net.layers:
        more = parts * net.settings.subdivisions
        layer.restore({name: count + more for name, count in layer.state().items()})
