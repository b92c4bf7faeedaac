"""Integrated gradients: a class's score shared out among the pixels, nothing left over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from darknet_py.network import Network
from darknet_py.network.gradients import PICTURE
from darknet_py.tasks.explain.target import one_hot, score_layer

STEPS = 64
_BATCH = 8


class Integrated(NamedTuple):
    """parts (k, c, h, w): of each class what every colour of every pixel adds to its score;
    rise (k,): the score of the picture less that of the baseline, which the parts sum to but for
    the error of the sum over steps."""

    parts: np.ndarray
    rise: np.ndarray

    def gap(self) -> np.ndarray:
        """How far sums of parts are from the rises, as shares of these (k,)."""
        missing = self.parts.sum(axis=(1, 2, 3), dtype=np.float64) - self.rise
        share: np.ndarray = np.abs(missing) / np.maximum(np.abs(self.rise), 1e-12)
        return share


def integrated_gradients(
    net: Network,
    x: np.ndarray,
    classes: Sequence[int],
    baseline: np.ndarray | None = None,
    steps: int = STEPS,
) -> Integrated:
    """(x - baseline) times the mean gradient of the score on the straight way between them.

    x (c, h, w) of the network's size; baseline: the same, black unless given. The mean is taken in
    the middles of `steps` equal parts of the way. Source: Sundararajan et al. 2017, "Axiomatic
    Attribution for Deep Networks".
    """
    start = np.zeros_like(x) if baseline is None else baseline.astype(x.dtype)
    layer = score_layer(net)
    shares = ((np.arange(steps) + 0.5) / steps).astype(x.dtype)[:, None, None, None]
    ends = net.output(np.stack([start, x]), layer).reshape(2, -1).astype(np.float64)
    sums = np.zeros((len(classes), *x.shape))
    for first in range(0, steps, _BATCH):
        way = start + shares[first : first + _BATCH] * (x - start)
        for total, index in zip(sums, classes, strict=True):
            delta = one_hot([index] * len(way), net.outputs)
            total += net.carry_back(way, delta, layer, [PICTURE]).deltas[0].sum(axis=0)
    parts = (x - start) * sums / steps
    return Integrated(parts, (ends[1] - ends[0])[list(classes)])
