"""Grad-CAM++: Grad-CAM for a class that is in the picture several times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.network import Network
from darknet_py.tasks.explain.gradcam import maps_and_gradients


def gradcam_plus_plus(
    net: Network, x: np.ndarray, classes: Sequence[int], layer: int
) -> np.ndarray:
    """As gradcam, but every pixel of a channel has its own part in the channel's weight.

    weight = sum over pixels of alpha * relu(g), alpha = 1 / (2 + sum(map) g), g the score's
    gradient: from derivatives of exp(score), whose common factor is left out. The sum is that of
    what is above 0, as the paper's maps all are. Returns (k, h', w'), from 0 up, without a unit.
    On a map that is only averaged before the scores g is the same everywhere, and the picture is
    Grad-CAM's. Source: Chattopadhay et al. 2018, "Grad-CAM++", equations 10 and 19.
    """
    maps, g = maps_and_gradients(net, x, classes, layer)
    rising = np.maximum(g, 0)
    alpha = 1 / (2 + np.maximum(maps, 0).sum(axis=(2, 3), keepdims=True) * rising)
    weights = (alpha * rising).sum(axis=(2, 3), keepdims=True)
    heat: np.ndarray = np.maximum((weights * maps).sum(axis=1), 0)
    return heat
