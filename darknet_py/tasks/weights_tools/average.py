"""The mean of several files of weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from darknet_py.network import Network
from darknet_py.tasks.weights_tools.parts import put


def average(net: Network, weights: Sequence[str | Path]) -> None:
    """Gives a network the mean of these files, of every number in them, computed in float64.

    Batches count as seen by the first. Source: `average` of darknet.c, which leaves out the norm
    of connected layers and all but these and convolutions.
    """
    sums, seen = [np.zeros(parameter.shape) for parameter in net.parameters()], []
    for path in weights:
        net.load_weights(path)
        seen.append(net.seen)
        for total, parameter in zip(sums, net.parameters(), strict=True):
            total += parameter.data
    for total, parameter in zip(sums, net.parameters(), strict=True):
        put(parameter, total / len(weights))
    net.seen = seen[0]
    net.changed()
