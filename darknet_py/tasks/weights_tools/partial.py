"""The first layers of a network alone."""

from __future__ import annotations

from pathlib import Path

from darknet_py.errors import DarknetError
from darknet_py.network import Network


def first_layers(net: Network, weights: str | Path, count: int) -> Network:
    """The first `count` layers with their weights, from a file that may end after them.

    No batch counts as seen, as in the C program: training begins with them. Raises DarknetError
    where there are not so many, or none of them has weights.
    """
    if not 1 <= count <= len(net.layers):
        raise DarknetError(
            f"{net.path}: has {len(net.layers)} layers, and not the first {count} of them"
        )
    part = net.truncated(count - 1)
    if not part.parameters():
        raise DarknetError(f"{net.path}: the first {count} layers have no weights")
    part.load_weights(weights, clear=True)
    return part
