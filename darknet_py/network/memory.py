"""All that learning changes in a network, on the host: to save it, or to go back to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    put_arrays(network, memory.arrays)
    network.optimiser.steps = memory.steps
    if network.average is not None:
        network.average.steps = memory.average_steps
    network.changed()


def arrays_of(network: Network) -> Iterator[tuple[str, np.ndarray]]:
    """Of each parameter, by its number: value_0, updates_0 (SGD's velocity), moment_0_0, and
    average_0, where there are such. Perhaps the network's own arrays, not copies."""
    to_host, optimiser, average = network.ops.to_host, network.optimiser, network.average
    for index, parameter in enumerate(network.parameters()):
        yield f"value_{index}", to_host(parameter.value)
        if parameter.learned and parameter.updates is not None:
            yield f"updates_{index}", to_host(parameter.updates)
            for k, moment in enumerate(optimiser.moments_of(parameter)):
                yield f"moment_{index}_{k}", to_host(moment)
        if average is not None and parameter in average.values:
            yield f"average_{index}", to_host(average.values[parameter])


def put_arrays(network: Network, arrays: Mapping[str, np.ndarray]) -> None:
    """The other way round; what is not among the arrays is forgotten. Raises KeyError for a
    parameter without a value."""
    ops, optimiser, average = network.ops, network.optimiser, network.average
    for index, parameter in enumerate(network.parameters()):
        parameter.value = ops.array(arrays[f"value_{index}"])
        parameter.updates = None
        optimiser.forget(parameter)
        if f"updates_{index}" in arrays:
            parameter.updates = ops.array(arrays[f"updates_{index}"])
            moments = optimiser.moments_of(parameter)
            for k in range(len(moments)):
                moments[k] = ops.array(arrays[f"moment_{index}_{k}"])
        if average is not None:
            average.forget(parameter)
            if f"average_{index}" in arrays:
                average.values[parameter] = ops.array(arrays[f"average_{index}"])
