"""All that learning changes in a network, on the host: to save it, or to go back to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from darknet_py.network.optimiser import METHODS

if TYPE_CHECKING:
    from darknet_py.network.network import Network


@dataclass(frozen=True)
class Memory:
    """arrays: see `arrays_of`; steps: of the optimiser; average_steps: of an average, or 0; batch:
    the number of batches seen. What layers draw at random is not gone back to."""

    arrays: dict[str, np.ndarray]
    steps: int
    average_steps: int
    batch: int


def remember(network: Network) -> Memory:
    """The network as it is now."""
    average = network.average
    return Memory(
        {name: array.copy() for name, array in arrays_of(network)},
        network.optimiser.steps,
        0 if average is None else average.steps,
        network.batch_num,
    )


def recall(network: Network, memory: Memory) -> None:
    """Parameters, updates, moments and averages become what they were; `seen` stays."""
    put_arrays(network, memory.arrays.get)
    network.optimiser.steps = memory.steps
    if network.average is not None:
        network.average.steps = memory.average_steps
    network.changed()


def arrays_of(network: Network) -> Iterator[tuple[str, np.ndarray]]:
    """Of each parameter, by its number: value_0, updates_0 (SGD's velocity), moment_0_0, and
    average_0, where there are such. Perhaps the network's own arrays, not copies."""
    to_host, optimiser, average = network.ops.to_host, network.optimiser, network.average
    for index, parameter in enumerate(network.parameters()):
        yield f"value_{index}", to_host(parameter.data)
        if parameter.learned and parameter.updates is not None:
            yield f"updates_{index}", to_host(parameter.updates)
            for k, moment in enumerate(optimiser.moments_of(parameter)):
                yield f"moment_{index}_{k}", to_host(moment)
        if average is not None and parameter in average.values:
            yield f"average_{index}", to_host(average.values[parameter])


class Slot(NamedTuple):
    """An array that `arrays_of` may give. what: the parameter's name, "updates", "moment" or
    "mean_square"; layer: whose it is; always: whether it is always there; needs: the name of the
    one that it is there with, if any."""

    shape: tuple[int, ...]
    what: str
    layer: int
    always: bool = False
    needs: str | None = None


def slots_of(network: Network) -> Iterator[tuple[str, Slot]]:
    """All that `arrays_of` may ever give for a network, in its order."""
    moments = METHODS[network.optimiser.settings.method]
    owners = [(i, each) for i, layer in enumerate(network.layers) for each in layer.parameters()]
    for index, (layer, parameter) in enumerate(owners):
        shape = parameter.shape
        yield f"value_{index}", Slot(shape, parameter.name, layer, always=True)
        if parameter.learned:
            updates = f"updates_{index}"
            yield updates, Slot(shape, "updates", layer)
            for k in range(moments):
                # of Adam's two, and RMSprop's one, the last is a mean of squares
                what = "mean_square" if k == moments - 1 else "moment"
                yield f"moment_{index}_{k}", Slot(shape, what, layer, needs=updates)
        yield f"average_{index}", Slot(shape, parameter.name, layer)


def put_arrays(network: Network, take: Callable[[str], np.ndarray | None]) -> None:
    """The other way round; take: the array of a name, None where there is none: what it was of is
    forgotten."""
    ops, optimiser, average = network.ops, network.optimiser, network.average
    for index, parameter in enumerate(network.parameters()):
        parameter.data = ops.array(take(f"value_{index}"))
        optimiser.forget(parameter)
        updates = take(f"updates_{index}")
        parameter.updates = None if updates is None else ops.array(updates)
        if updates is not None:
            moments = optimiser.moments_of(parameter)
            for k in range(len(moments)):
                moments[k] = ops.array(take(f"moment_{index}_{k}"))
        mean = take(f"average_{index}")
        if average is not None:
            average.forget(parameter)
            if mean is not None:
                average.values[parameter] = ops.array(mean)
