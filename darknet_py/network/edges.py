"""What the outside world hands to a network, and what it gets: shapes checked, darknet's order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from darknet_py.errors import ShapeError

if TYPE_CHECKING:
    from darknet_py.network.network import Network

Array = Any


def checked(net: Network, x: np.ndarray) -> np.ndarray:
    """x as (n, c, h, w). Raises ShapeError where it is not what the network takes."""
    h, w, c = net.in_shape
    shape = np.shape(x)
    if not (shape[1:] == (c, h, w) or (len(shape) == 2 and shape[1] == net.in_shape.size)):
        expected = f"(n, {c}, {h}, {w})" if not net.settings.is_vector else f"(n, {c})"
        raise ShapeError(f"{net.path}: expected pictures of shape {expected}, found {shape}")
    return x.reshape(shape[0], c, h, w)


def of_any_size(net: Network, x: np.ndarray) -> np.ndarray:
    """The same, where `Network.sized` may have to make a network that takes it."""
    is_map = not net.settings.is_vector and np.ndim(x) == 4
    return x if is_map and x.shape[1] == net.in_shape.c else checked(net, x)


def to_outside(net: Network, y: Array, is_vector: bool) -> np.ndarray:
    """A map (n, h, w, c) of the device as (n, c, h, w) of the host, or a vector as (n, outputs)."""
    outside: np.ndarray = net.ops.to_host(net.ops.to_chw(y))
    n, *shape = outside.shape
    return outside.reshape(n, math.prod(shape)) if is_vector else outside


def check_layers(net: Network, layers: Sequence[int]) -> None:
    """Raises ShapeError where one of these layers is none of the network's."""
    for layer in layers:
        if not 0 <= layer < len(net.layers):
            raise ShapeError(
                f"{net.path}: there is no layer {layer}: expected 0 to {len(net.layers) - 1}"
            )
