"""Copies and pickles of a network: all but what is its process's own.

Layers, parameters with their values, updates, moments and averages, counters and settings are in
them, so that both predict alike and learn on alike; arrays that several networks share are shared
in a copy of all of them. Engines (which have threads, locks and compiled programs), functions of a
device, a communicator and `say` are not: a copy is given new ones.
"""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

from darknet_py import ops as devices
from darknet_py.network.average import Average
from darknet_py.network.optimiser import Optimiser

if TYPE_CHECKING:
    from darknet_py.network.network import Network

_OWN = "ops", "engine", "communicator", "say"


def shared(net: Network) -> Network:
    """Another that has the very same layers, engine and arrays: copy.copy."""
    other = object.__new__(type(net))
    vars(other).update(vars(net))
    return other


def deep(net: Network, memo: dict[int, Any]) -> Network:
    """copy.deepcopy, on the same device."""
    other = memo[id(net)] = object.__new__(type(net))
    _fill(other, net.ops, copy.deepcopy(kept(net), memo))
    return other


def kept(net: Network) -> dict[str, Any]:
    """What a pickle has of a network."""
    found = {name: value for name, value in vars(net).items() if name not in _OWN}
    optimiser, average = net.optimiser, net.average
    found["engine"] = net.engine.exact, net.engine.half
    found["optimiser"] = optimiser.steps, optimiser.moments
    found["average"] = average and (average.decay, average.steps, average.values)
    return found


def on_device(cls: type[Network], device: str) -> Network:
    """An empty network, to be filled by `fill`; arrays that are unpickled after it are of the
    device. Raises DeviceError where that cannot be used."""
    net = object.__new__(cls)
    net.ops = devices.for_device(device)
    return net


def fill(net: Network, found: dict[str, Any]) -> None:
    """The other way round, for what on_device gave."""
    _fill(net, net.ops, found)


def _fill(net: Network, ops: Any, found: dict[str, Any]) -> None:
    exact, half = found.pop("engine")
    steps, moments = found.pop("optimiser")
    average = found.pop("average")
    vars(net).update(found)
    net.ops, net.engine = ops, ops.Engine(exact, half)
    net.communicator, net.say = None, warnings.warn
    net.optimiser = Optimiser(net.settings.optimiser, ops)
    net.optimiser.steps, net.optimiser.moments = steps, moments
    net.average = None
    if average is not None:
        net.average = Average(average[0], ops)
        _, net.average.steps, net.average.values = average
