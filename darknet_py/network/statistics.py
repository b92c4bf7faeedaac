"""Batch norm's rolling statistics recomputed, as by PyTorch's swa_utils.update_bn.

Rolling averages keep .99 at each batch, and so lag a hundred batches behind weights that change
fast (ten by AlexeyAB's rules): what is validated or saved meanwhile is not the network that is
trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.layers import Parameter
from darknet_py.layers.parts.batch_normalize import taken_of
from darknet_py.network import tracing
from darknet_py.network.io_checks import check_initialised, check_values, checked
from darknet_py.network.learning import prepare_updates
from darknet_py.network.model import Model


def update_bn(net: Model, batches: Iterable[np.ndarray]) -> None:
    """See Network.update_bn."""
    pairs = _moving(net)
    if not pairs:
        return
    check_initialised(net)
    prepare_updates(net)
    before = [(parameter, parameter.data.copy()) for parameter in chain(*pairs)]
    with net.engine.lock:
        try:
            found = _counted(net, pairs, batches)
        finally:  # counting overwrites them, and may fail
            for parameter, value in before:
                parameter.data[...] = value
            net.engine.moved()
        for pair, values in zip(pairs, found, strict=True):
            for parameter, value in zip(pair, values, strict=True):
                parameter.data[...] = net.ops.array(value.astype(np.float32))
        net.engine.moved()


def _counted(
    net: Model, pairs: list[tuple[Parameter, Parameter]], batches: Iterable[np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Means and variances over the batches; the parameters' own are lost."""
    taken = [_taken(net, mean) for mean, _ in pairs]
    sums = [np.zeros((2, *mean.shape)) for mean, _ in pairs]
    count = 0
    with np.errstate(all="ignore"):  # validation shows what numpy would warn of
        for x in (part for batch in batches for part in _parts(net, batch)):
            for parameter in chain(*pairs):
                parameter.data[...] = 0  # so that the forward pass leaves the batch's alone
            tracing.statistics(net, checked(net, x)).run(net)
            tracing.count_draws(net, net.output_layer)
            count += 1
            for pair, total, part in zip(pairs, sums, taken, strict=True):
                host = (net.ops.to_host(parameter.data) for parameter in pair)
                mean, variance = (each.astype(np.float64) / part for each in host)
                total += mean, variance + np.square(mean)
    if not count:
        raise ShapeError(f"{net.path}: expected at least one batch to count statistics of")
    return [(mean / count, square / count - np.square(mean / count)) for mean, square in sums]


def _taken(net: Model, mean: Parameter) -> float:
    """What a forward pass takes of a batch's statistics: by each layer that shares them."""
    kept = 1.0
    for layer in net.layers:
        owner = layer
        while owner.shares is not None:
            owner = owner.shares
        if any(parameter is mean for parameter in owner.parameters()):
            kept *= 1 - taken_of(net.settings.rules)
    return 1 - kept


def _parts(net: Model, batch: np.ndarray) -> list[np.ndarray]:
    """A batch by subdivisions. Raises ShapeError and NotFiniteError."""
    check_values(net, batch)
    parts = net.settings.subdivisions
    if len(checked(net, batch)) % parts or not len(batch):
        raise ShapeError(f"{net.path}: expected a multiple of {parts} pictures, found {len(batch)}")
    return np.split(batch, parts)


def _moving(net: Model) -> list[tuple[Parameter, Parameter]]:
    """The means and variances that training updates."""
    layers = [each for each in net.layers if not (each.frozen or each.use_global_stats)]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    means, variances = (
        [each for each in parameters if each.name == name]
        for name in ("rolling_mean", "rolling_variance")
    )
    return list(zip(means, variances, strict=True))
