"""Grad-CAM: the channels that raise a class's score, and where they see something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.network import Network
from darknet_py.tasks.explain.target import repeated, score_delta, score_layer


def gradcam(net: Network, x: np.ndarray, classes: Sequence[int], layer: int) -> np.ndarray:
    """Of each class a heat map of a layer: relu(sum over channels of weight * map).

    A channel's weight is the mean over its pixels of the score's gradient. x (c, h, w) of the
    network's size -> (k, h', w'), from 0 up, in the score's units. Source: Selvaraju et al. 2017,
    "Grad-CAM: Visual Explanations from Deep Networks".
    """
    maps, gradients = maps_and_gradients(net, x, classes, layer)
    weights = gradients.mean(axis=(2, 3), keepdims=True)
    heat: np.ndarray = np.maximum((weights * maps).sum(axis=1), 0)
    return heat


def maps_and_gradients(
    net: Network, x: np.ndarray, classes: Sequence[int], layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """A layer's maps and, for each class, its score's gradient there: (k, c', h', w') both."""
    carried = net.vjp(
        repeated(x, len(classes)), score_delta(net, classes), score_layer(net), [layer]
    )
    return carried.maps[0], carried.deltas[0]
