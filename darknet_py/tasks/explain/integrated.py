"""Integrated gradients: a class's score shared out among the pixels, nothing left over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from darknet_py.network import Network
from darknet_py.network.vjp import PICTURE
from darknet_py.tasks.explain.target import class_scores, score_delta, score_layer

STEPS = 128
WITHIN = 0.01
"""How far the sum of the parts may be from the rise of the score, as a share of it."""
_DOUBLINGS = 2
_BATCH = 8


class Integrated(NamedTuple):
    """parts (k, c, h, w): of each class what every colour of every pixel adds to its score;
    rise (k,): the score of the picture less that of the baseline, which the parts sum to but for
    the error of the sum over steps."""

    parts: np.ndarray
    rise: np.ndarray


def integrated_gradients(
    net: Network,
    x: np.ndarray,
    classes: Sequence[int],
    baseline: np.ndarray | None = None,
    steps: int = STEPS,
    within: float = WITHIN,
) -> Integrated:
    """(x - baseline) times the mean gradient of the score on the straight way between them.

    x (c, h, w) of the network's size; baseline: the same, black unless given. The mean is taken
    over `steps` parts of the way, which grow with the distance from the baseline, where the score
    bends most; they are doubled, twice at most, while the sum of the parts is off by more than
    `within` of the rise. Source: Sundararajan et al. 2017, "Axiomatic Attribution for Deep
    Networks".
    """
    start = np.zeros_like(x) if baseline is None else baseline.astype(x.dtype)
    scores = class_scores(net, np.stack([start, x])).astype(np.float64)
    rises = (scores[1] - scores[0])[list(classes)]
    parts = []
    for index, rise in zip(classes, rises.tolist(), strict=True):
        for doubled in range(_DOUBLINGS + 1):
            found = _parts(net, start, x, index, steps << doubled)
            if abs(float(found.sum()) - rise) <= within * abs(rise):
                break
        parts.append(found)
    return Integrated(np.stack(parts), rises)


def _parts(net: Network, start: np.ndarray, x: np.ndarray, index: int, steps: int) -> np.ndarray:
    """(c, h, w) float64: the middles' gradients times the lengths of `steps` parts of the way."""
    layer = score_layer(net)
    edges = np.linspace(0, 1, steps + 1) ** 2
    middles, lengths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    mean = np.zeros(x.shape)
    for first in range(0, steps, _BATCH):
        part = slice(first, first + _BATCH)
        way = start + middles[part].astype(x.dtype)[:, None, None, None] * (x - start)
        delta = score_delta(net, [index] * len(way))
        gradients = net.vjp(way, delta, layer, [PICTURE]).deltas[0]
        mean += np.tensordot(lengths[part], gradients, axes=1)
    parts: np.ndarray = (x - start) * mean
    return parts
