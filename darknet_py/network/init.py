"""Random initialisation of parameters: those without values, or chosen layers again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.errors import CfgError, DarknetError
from darknet_py.layers import Parameter
from darknet_py.network.io_checks import check_layers
from darknet_py.network.model import Model
from darknet_py.ops.memory import SMALL, available_memory


def initialise(net: Model, seed: int | None) -> None:
    """See Network.initialise."""
    rng = np.random.default_rng(net.settings.seed if seed is None else seed)
    needed = 4 * sum(each.size for each in net.parameters() if each.data is None)
    # before they are allocated, as a system may overcommit
    if needed > SMALL and needed > (free := available_memory()):
        asks = f"asks for {needed / 1e9:,.1f} GB of weights"
        raise CfgError(net.path, None, f"{asks}, and {free / 1e9:,.1f} GB of memory are free")
    for parameter in net.parameters():
        value = parameter.data
        if value is None:
            value = _draw(net, parameter, rng)
        if isinstance(value, np.ndarray):
            parameter.data = None  # so that it takes the device's type
            parameter.data = net.ops.array(value)
    net.changed()


def reinitialise(net: Model, layers: Sequence[int], seed: int) -> None:
    """See Network.reinitialise."""
    check_layers(net, layers)
    for index in layers:
        if not net.layers[index].parameters():
            kind = net.layers[index].kind
            raise DarknetError(f"{net.path}: layer {index} [{kind}] has no weights to draw")
    for index in layers:
        rng = np.random.default_rng((seed, index))
        for parameter in net.layers[index].parameters():
            parameter.data = net.ops.array(_draw(net, parameter, rng))
            parameter.updates = None
            net.optimiser.forget(parameter)
            if net.average is not None:
                net.average.forget(parameter)
    net.changed()


def _draw(net: Model, parameter: Parameter, rng: np.random.Generator) -> np.ndarray:
    try:
        return parameter.initialise(rng, parameter.shape)
    except MemoryError as error:
        asks = f"asks for {4 * parameter.size:,} bytes of weights at once"
        raise CfgError(net.path, None, asks) from error
