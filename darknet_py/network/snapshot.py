"""The state of training on the host: to save it, or to return to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from darknet_py.network.model import Model
from darknet_py.network.optimiser import METHODS
from darknet_py.network.plateau import Snapshot


def take_snapshot(network: Model) -> Snapshot:
    """The network as it is now."""
    average = network.average
    return Snapshot(
        {name: array.copy() for name, array in arrays_of(network)},
        network.optimiser.steps,
        0 if average is None else average.steps,
        network.batch_num,
    )


def restore_snapshot(network: Model, snapshot: Snapshot) -> None:
    """Restores parameters, updates, moments and averages; `seen` stays."""
    put_arrays(network, snapshot.arrays.get)
    network.optimiser.steps = snapshot.steps
    if network.average is not None:
        network.average.steps = snapshot.average_steps
    network.changed()


def arrays_of(network: Model) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of each parameter, by its number: value_0, updates_0 (SGD's velocity), moment_0_0,
    average_0, where there are such. They may be the network's own, not copies."""
    to_host, optimiser, average = network.ops.to_host, network.optimiser, network.average
    for index, parameter in enumerate(network.parameters()):
        yield f"value_{index}", to_host(parameter.data)
        if parameter.learned and parameter.updates is not None:
            yield f"updates_{index}", to_host(parameter.updates)
            for k, moment in enumerate(optimiser.moments_of(parameter)):
                yield f"moment_{index}_{k}", to_host(moment)
        if average is not None and parameter in average.values:
            yield f"average_{index}", to_host(average.values[parameter])


class ArraySpec(NamedTuple):
    """An array that `arrays_of` may give. what: the parameter's name, "updates", "moment" or
    "mean_square"; always: whether it always does; needs: the name of another that it comes with."""

    shape: tuple[int, ...]
    what: str
    layer: int
    always: bool = False
    needs: str | None = None


def array_specs(network: Model) -> Iterator[tuple[str, ArraySpec]]:
    """All that `arrays_of` may give for a network, in its order."""
    moments = METHODS[network.optimiser.settings.method]
    owners = [(i, each) for i, layer in enumerate(network.layers) for each in layer.parameters()]
    for index, (layer, parameter) in enumerate(owners):
        shape = parameter.shape
        yield f"value_{index}", ArraySpec(shape, parameter.name, layer, always=True)
        if parameter.learned:
            updates = f"updates_{index}"
            yield updates, ArraySpec(shape, "updates", layer)
            for k in range(moments):
                # of Adam's two, and RMSprop's one, the last is a mean of squares
                what = "mean_square" if k == moments - 1 else "moment"
                yield f"moment_{index}_{k}", ArraySpec(shape, what, layer, needs=updates)
        yield f"average_{index}", ArraySpec(shape, parameter.name, layer)


def put_arrays(network: Model, take: Callable[[str], np.ndarray | None]) -> None:
    """Loads what `arrays_of` gave; take: the array of a name, None where there is none, which drops
    the network's."""
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
