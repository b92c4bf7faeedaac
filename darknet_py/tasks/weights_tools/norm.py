"""Batch normalisation put into weights, and taken up where there was none."""

from __future__ import annotations

import numpy as np

from darknet_py.cfg.write import changed
from darknet_py.errors import DarknetError
from darknet_py.layers.parts.batch_normalize import epsilon_of
from darknet_py.network import Network
from darknet_py.ops.normalize import Epsilon, divisor
from darknet_py.tasks.run_cfg import follow_rules, same_kind
from darknet_py.tasks.weights_tools.files import Part, parts_of, put

_NORMALISED = {"convolutional", "connected", "rnn", "gru", "lstm"}
"""Kinds that have the key batch_normalize."""


def reset(net: Network) -> None:
    """Puts what batch norm has learned into weights and biases, and begins its statistics anew.

    What the network gives in inference stays, but for rounding, and so does its cfg.
    Source: reset_normalize_net of darknet.c, whose epsilon is not that of its forward.
    Raises DarknetError where nothing is normalised.
    """
    epsilon = epsilon_of(net.settings.rules)
    for part in _normalised(net):
        _fold(part, epsilon)
        _begin(part, epsilon)
    net.changed()


def denormalize(net: Network) -> Network:
    """The same network without batch_normalize, whose weights and biases do what it did.

    What it gives in inference stays, but for rounding. [batchnorm] layers stay.
    Source: denormalize_net of darknet.c, whose epsilon is not that of its forward.
    Raises DarknetError where nothing is normalised.
    """
    for part in _normalised(net):
        _fold(part, epsilon_of(net.settings.rules))
    return _rebuilt(net, batch_normalize=None)


def normalize(net: Network) -> Network:
    """The same network with batch_normalize wherever it can be, in a state that changes nothing.

    Weights and biases stay; mean is 0, variance 1, and scales make up for the epsilon, so that what
    it gives in inference stays, but for rounding. Training takes it from there, with the statistics
    of its batches. Source: normalize_net of darknet.c, whose variance of 0 multiplies by a million.
    Raises DarknetError where all is normalised.
    """
    other = _rebuilt(net, batch_normalize=1)
    new = [
        part
        for layer, own in zip(other.layers, net.layers, strict=True)
        for part, old in zip(parts_of(layer), parts_of(own), strict=True)
        if old.norm is None and part.norm is not None
    ]
    if not new:
        raise DarknetError(f"{net.path}: no layer is without batch_normalize that could have it")
    for part in new:
        _begin(part, epsilon_of(other.settings.rules))
    return other


def _normalised(net: Network) -> list[Part]:
    parts = [part for layer in net.layers for part in parts_of(layer) if part.norm]
    if not parts:
        raise DarknetError(f"{net.path}: no layer has batch_normalize=1")
    return parts


def _fold(part: Part, epsilon: Epsilon) -> None:
    """Weights and biases that do what they did with the norm."""
    assert part.norm is not None
    scales, mean, variance = (each.data.astype(np.float64) for each in part.norm)
    factors = scales / divisor(variance, epsilon)
    put(part.weights, part.rows() * factors[:, None])
    put(part.biases, part.biases.data - mean * factors)


def _begin(part: Part, epsilon: Epsilon) -> None:
    """A norm that changes nothing: (x - 0) / (1 + epsilon) * (1 + epsilon)."""
    assert part.norm is not None
    scale = float(divisor(np.float64(1), epsilon))
    for parameter, value in zip(part.norm, (scale, 0, 1), strict=True):
        put(parameter, np.full(parameter.shape, value))


def _rebuilt(net: Network, batch_normalize: int | None) -> Network:
    """The network of the cfg with this key in layers that have it, and the values of this one."""
    first, *sections = net.sections
    rekeyed = [
        changed(section, batch_normalize=batch_normalize) if layer.kind in _NORMALISED else section
        for section, layer in zip(sections, net.layers, strict=True)
    ]
    other = same_kind(net, [first, *rekeyed])
    follow_rules(other, net)
    for layer, own in zip(other.layers, net.layers, strict=True):
        if layer.kind not in _NORMALISED:
            for parameter, old in zip(layer.parameters(), own.parameters(), strict=True):
                parameter.data = old.data
        for part, old_part in zip(parts_of(layer), parts_of(own), strict=True):
            _copy(part, old_part)
    other.seen = net.seen
    other.initialise()
    return other


def _copy(part: Part, old: Part) -> None:
    """Values for all that both have."""
    part.biases.data, part.weights.data = old.biases.data, old.weights.data
    for parameter, value in zip(part.norm or (), old.norm or (), strict=False):
        parameter.data = value.data
