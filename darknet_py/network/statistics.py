"""Batch norm's rolling statistics made those of pictures that the network now learns from.

Rolling averages keep .99 of what they were at each batch. So they lag behind weights that move by a
hundred batches, and where layers of a network that learnt from other pictures begin to learn, by
what these pictures differ. What is validated or saved then is not the network that is trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from darknet_py.layers import Parameter
from darknet_py.network import recordings
from darknet_py.network.learning import draws, prepare_updates
from darknet_py.network.passes import forget, forward
from darknet_py.ops.normalize import EPSILON

if TYPE_CHECKING:
    from darknet_py.network.network import Network

Array = Any
_TAKEN = 0.01
"""What a rolling average takes of a batch: see ops.moving_average."""


class _Norm(NamedTuple):
    """A batch normalisation whose statistics move in training; biases: None where it has none."""

    mean: Parameter
    variance: Parameter
    scales: Parameter
    biases: Parameter | None


class _Moments:
    """Mean and variance of all pictures, from those of batch after batch."""

    def __init__(self, norm: _Norm) -> None:
        self._count = 0
        self._sums = np.zeros((2, *norm.mean.shape))

    def add(self, mean: np.ndarray, variance: np.ndarray) -> None:
        self._count += 1
        self._sums += mean, variance + np.square(mean)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        mean, square = self._sums / self._count
        return mean, np.maximum(square - np.square(mean), 0)


def update_bn(net: Network, batches: Iterable[np.ndarray]) -> None:
    """See Network.update_bn."""
    norms = _norms(net)
    if not norms:
        return
    prepare_updates(net)
    moments = [_Moments(norm) for norm in norms]
    with np.errstate(all="ignore"):
        for x in _parts(net, batches):
            for parameter in chain(*(norm[:2] for norm in norms)):
                parameter.value[...] = 0
            _forward(net, x)
            for norm, each in zip(norms, moments, strict=True):
                each.add(*(_host(net, parameter.value) / _TAKEN for parameter in norm[:2]))
    for norm, each in zip(norms, moments, strict=True):
        for parameter, value in zip(norm[:2], each.result(), strict=True):
            _set(net, parameter, value)
    net.engine.moved()


def rebase_bn(net: Network, batches: Iterable[np.ndarray]) -> None:
    """See Network.rebase_bn."""
    norms = [norm for norm in _norms(net) if norm.biases is not None]
    if not norms:
        return
    moments = {id(norm.scales.value): _Moments(norm) for norm in norms}
    watching = _Watching(net.ops, moments)
    last = net.output_layer
    for x in _parts(net, batches):
        forward(net.layers, watching, net.to_device(x), last, train=False, keep=False)
        forget(net.layers)
    for norm in norms:
        assert norm.biases is not None
        mean, variance = moments[id(norm.scales.value)].result()
        old_mean, old_variance, scales, biases = (_host(net, each.value) for each in norm)
        deviation, old_deviation = (
            np.sqrt(np.maximum(each, 0)) + EPSILON for each in (variance, old_variance)
        )
        _set(net, norm.biases, biases + scales * (mean - old_mean) / old_deviation)
        _set(net, norm.scales, scales * deviation / old_deviation)
        _set(net, norm.mean, mean)
        _set(net, norm.variance, variance)
    net.engine.moved()


class _Watching:
    """Functions of ops; of what is normalised on the way, moments are taken."""

    def __init__(self, ops: Any, moments: dict[int, _Moments]) -> None:
        self._ops, self._moments = ops, moments

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ops, name)

    def batchnorm(self, x: Array, scales: Array, *others: Any) -> Array:
        if id(scales) in self._moments:
            found = self._ops.batch_statistics(x)
            self._moments[id(scales)].add(*(self._ops.to_host(each) for each in found))
        return self._ops.batchnorm(x, scales, *others)


def _norms(net: Network) -> list[_Norm]:
    moving = [each for each in net.layers if not (each.frozen or each.use_global_stats)]
    norms = []
    for layer in moving:
        by_name: dict[str, list[Parameter]] = {}
        for parameter in layer.parameters():
            by_name.setdefault(parameter.name, []).append(parameter)
        names = "rolling_mean", "rolling_variance", "scales"
        means, variances, scales = (by_name.get(name, []) for name in names)
        biases: list[Parameter | None] = [*by_name.get("biases", [])]
        biases += [None] * (len(means) - len(biases))
        norms += [_Norm(*each) for each in zip(means, variances, scales, biases, strict=False)]
    return norms


def _parts(net: Network, batches: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    """What goes through the network together in training."""
    return (part for batch in batches for part in np.split(batch, net.settings.subdivisions))


def _forward(net: Network, x: np.ndarray) -> None:
    """As in training; the rolling averages take their part."""
    random = draws(net)
    if net.engine.trains and (net.engine.draws or not random):
        recordings.statistics(net, net.checked(x), fresh=random).run(net)
    else:
        recordings.forward_in_training(net, net.ops, net.to_device(x))


def _host(net: Network, value: Array) -> np.ndarray:
    found: np.ndarray = net.ops.to_host(value).astype(np.float64)
    return found


def _set(net: Network, parameter: Parameter, value: np.ndarray) -> None:
    parameter.value[...] = net.ops.array(value.astype(np.float32))
