"""Weights of a network with other outputs, made to fit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.cfg.write import changed
from darknet_py.errors import DarknetError
from darknet_py.layers import Layer
from darknet_py.network import Network
from darknet_py.tasks.run_cfg import follow_rules, same_kind
from darknet_py.tasks.weights_tools.files import parts_of, put

_KEYS = {"convolutional": "filters", "connected": "output"}
"""Kinds that may be last, and their key for how many outputs they have."""
_HEADERS = (20, 16)
"""Bytes before the values of a file."""


@dataclass(frozen=True)
class Fitted:
    """layer: whose outputs changed; kept: outputs of the file that it has, drawn: new ones, left:
    those that it has no place for."""

    layer: int
    kept: int
    drawn: int
    left: int


def oneoff(net: Network, weights: str | Path) -> Fitted:
    """Gives a network the weights of one that differs in the outputs of its last layer alone.

    All other layers are copied. The last one keeps the first outputs of the file as far as it has
    them; others are drawn by `seed=` of [net] a tenth as large as usual, their biases 0. No batch
    counts as seen. Source: `oneoff` of darknet.c, which does so for the classes of one detector.
    Raises DarknetError.
    """
    last, layer = _last_with_weights(net)
    found = _outputs_in(net, last, Path(weights))
    section = changed(net.sections[last + 1], **{_KEYS[layer.kind]: found})
    other = same_kind(net, [*net.sections[: last + 1], section])
    other.load_weights(weights)
    net.initialise()
    follow_rules(net, other)
    for own, old in zip(net.layers[:last], other.layers[:last], strict=True):
        for parameter, source in zip(own.parameters(), old.parameters(), strict=True):
            parameter.data = source.data
    _mix(layer, other.layers[last])
    net.seen = 0
    net.changed()
    outputs = layer.out_shape.c
    return Fitted(last, min(outputs, found), max(outputs - found, 0), max(found - outputs, 0))


def _mix(layer: Layer, other: Layer) -> None:
    (part,) = parts_of(layer)
    put(part.weights, 0.1 * part.weights.data)
    for parameter, source in zip(layer.parameters(), other.parameters(), strict=True):
        kept = min(len(parameter.data), len(source.data))
        parameter.data = np.concatenate([source.data[:kept], parameter.data[kept:]])


def _last_with_weights(net: Network) -> tuple[int, Layer]:
    found = [index for index, layer in enumerate(net.layers) if layer.parameters()]
    if not found:
        raise DarknetError(f"{net.path}: no layer has weights")
    layer = net.layers[found[-1]]
    if layer.kind not in _KEYS:
        raise DarknetError(
            f"{net.path}: layer {found[-1]} [{layer.kind}] is the last with weights: expected "
            "[convolutional] or [connected]"
        )
    return found[-1], layer


def _outputs_in(net: Network, last: int, weights: Path) -> int:
    """How many outputs of the last layer a file holds, by its size; where that is no answer, those
    of the cfg, and whoever reads it will say what is wrong."""
    layer = net.layers[last]
    before = sum(p.size for each in net.layers[:last] for p in each.parameters())
    one = sum(p.size for p in layer.parameters()) // layer.out_shape.c
    size = weights.stat().st_size if os.path.isfile(weights) else 0
    for header in _HEADERS:
        found, rest = divmod(size - header - 4 * before, 4 * one)
        if found > 0 and not rest:
            return found
    return layer.out_shape.c
