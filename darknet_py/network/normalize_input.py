"""How pictures enter a network, and how their deltas leave it: here `mean=` and `std=` act."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.network.settings import Settings

Array = Any


def enter(x: Array, ops: Any, settings: Settings) -> Array:
    """Pictures (n, c, h, w), 0..1, as the first layer takes them: (n, h, w, c), (x - mean) / std.

    Before any layer pads: zeros around a map stand for the mean, as in Caffe.
    """
    x = ops.to_hwc(x)
    if not (settings.mean or settings.deviation):
        return x
    mean = _per_channel(settings.mean or (0.0,), x, ops)
    return ops.standardize(x, mean, _per_channel(settings.deviation or (1.0,), x, ops))


def leave(delta: Array, ops: Any, settings: Settings) -> Array:
    """The delta (n, h, w, c) of the pictures, from that of what `enter` gave."""
    if not settings.deviation:
        return delta
    return ops.standardize_backward(delta, _per_channel(settings.deviation, delta, ops))


def _per_channel(values: tuple[float, ...], x: Array, ops: Any) -> Array:
    return ops.array(np.broadcast_to(np.array(values, np.float32), x.shape[-1:]).copy())
