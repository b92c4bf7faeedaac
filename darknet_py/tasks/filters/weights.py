"""The filters that look at the picture itself: their weights are small pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.network import Network


class FirstFilters(NamedTuple):
    """weights: (filters, c, size, size), of the first [convolutional] layer, in darknet's order."""

    layer: int
    weights: np.ndarray

    def pictures(self) -> list[np.ndarray]:
        """Each filter as (size, size, c), its least weight 0 and its largest 1; of filters that
        take neither 1 nor 3 channels these lie side by side, (size, c size, 1).

        Source: get_weights and normalize_image, as `visualize` of the C program shows them.
        """
        return [_picture(each) for each in self.weights]


def first_filters(net: Network) -> FirstFilters:
    """Raises ShapeError where no layer convolves."""
    for index, layer in enumerate(net.layers):
        if layer.kind == "convolutional":
            weights = layer.parameters()[-1]
            value = net.ops.to_host(weights.data)
            return FirstFilters(index, np.ascontiguousarray(value.transpose(0, 3, 1, 2)))
    raise ShapeError(f"{net.path}: has no [convolutional] layer whose filters could be shown")


def _picture(weights: np.ndarray) -> np.ndarray:
    low, high = float(weights.min()), float(weights.max())
    shares = (weights - low) / (high - low) if high > low else np.zeros_like(weights)
    if len(weights) in (1, 3):
        return shares.transpose(1, 2, 0)
    return np.concatenate(list(shares), axis=1)[..., None]
