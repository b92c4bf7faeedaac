"""How much the weights of a new last layer are to be held back, from what it reads."""

from __future__ import annotations

import math

import numpy as np

from darknet_py.images import Dataset, Loader
from darknet_py.network import Network
from darknet_py.network.derived import averages

_PICTURES = 64
"""Whose features are looked at."""
_VARIANCE = 10
"""Of a score, as it is expected before any picture was seen."""


def head_decay(net: Network, head: int, train: Dataset) -> float | None:
    """The decay with which layer `head`, drawn anew behind layers that stay, is to be trained; None
    where its features are all 0, or no numbers.

    It is that of logistic regression with a normal prior of the weights (ridge): 1 / (variance of a
    weight x pictures). The variance is such that scores, sums of as many features as a filter
    reads, have one of 10, whatever the features' scale: so few pictures hold the weights back much,
    and many hardly. Found with Tiny Darknet's features: of 200 pictures .05 and .1 are best of
    0.003 to 3, of 1,000 .01 and .03, relative to the features' mean square, and this gives .064 and
    .013.
    """
    layer = net.layers[head]
    source = max(layer.inputs)
    step = max(-(-len(train) // _PICTURES), 1)
    some = Dataset(train.names, train.paths[::step], train.labels[::step])
    h, w, c = net.in_shape
    squares = []
    for x, _ in Loader(some, w, h, c, _PICTURES, None).once():
        features = x if source < 0 else net.output(x, source)
        if source >= 0 and averages(net.layers, source):
            features = features.mean(axis=(2, 3))
        squares.append(float(np.square(features, dtype=np.float64).mean()))
    mean = sum(squares) / max(len(squares), 1)
    if not (math.isfinite(mean) and mean > 0):
        return None
    weights, biases = (
        next(each for each in layer.parameters() if each.name == name)
        for name in ("weights", "biases")
    )
    return weights.size / biases.size * mean / (_VARIANCE * len(train))
