"""The outputs of a detector: each pixel holds a few boxes, each box the same entries.

The channels of a map (n, h, w, boxes * entries) are box after box: channel box * entries + entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.ops.activations import activate, activate_backward
from darknet_py.ops.array_types import Array
from darknet_py.ops.dense import softmax, softmax_backward

Range = tuple[int, int]
"""Entries from the first number up to, but without, the second."""


def activate_boxes(
    x: Array, boxes: int, logistic: Sequence[Range], probabilities: Range | None
) -> Array:
    """Of each box the logistic of some entries, the softmax of others, the rest as they are."""
    x_boxes = _boxes(x, boxes)
    y = x_boxes.copy()
    for start, end in logistic:
        y[..., start:end] = activate(x_boxes[..., start:end], "logistic")
    if probabilities:
        start, end = probabilities
        y[..., start:end] = softmax(x_boxes[..., start:end], 1, 1.0)
    return y.reshape(x.shape)


def activate_boxes_backward(
    delta: Array, y: Array, boxes: int, logistic: Sequence[Range], probabilities: Range | None
) -> Array:
    """The exact gradient, from the output y."""
    delta_boxes, y_boxes = _boxes(delta, boxes), _boxes(y, boxes)
    x_delta = delta_boxes.copy()
    for start, end in logistic:
        at = (..., slice(start, end))
        x_delta[at] = activate_backward(delta_boxes[at], y_boxes[at], "logistic")
    if probabilities:
        at = (..., slice(*probabilities))
        x_delta[at] = softmax_backward(delta_boxes[at], y_boxes[at], 1, 1.0)
    return x_delta.reshape(y.shape)


def _boxes(x: Array, boxes: int) -> Array:
    return x.reshape(*x.shape[:-1], boxes, -1)
