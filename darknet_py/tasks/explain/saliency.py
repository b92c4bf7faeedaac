"""Saliency: the pixels whose change would change a class's score most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.network import Network
from darknet_py.network.vjp import PICTURE
from darknet_py.tasks.explain.target import repeated, score_delta, score_layer


def saliency(net: Network, x: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Of each class and pixel the largest |gradient of the score| of its colours.

    x (c, h, w) of the network's size -> (k, h, w), from 0 up. Source: Simonyan et al. 2013, "Deep
    Inside Convolutional Networks".
    """
    carried = net.vjp(
        repeated(x, len(classes)), score_delta(net, classes), score_layer(net), [PICTURE]
    )
    heat: np.ndarray = np.abs(carried.deltas[0]).max(axis=1)
    return heat
