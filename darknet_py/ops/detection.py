"""The outputs of a detector: each pixel holds a few boxes, each box the same entries.

The channels of a map (n, h, w, boxes * entries) are box after box: channel box * entries + entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.ops.activations import activate, activate_backward
from darknet_py.ops.array_types import Array
from darknet_py.ops.dense import softmax, softmax_backward

Range = tuple[int, int]
"""Entries from the first number up to, but without, the second."""


@dataclass(frozen=True)
class Entries:
    """What becomes of the entries of each box: the logistic of some, a softmax over each range of
    others, the rest as they are. After that those of `scaled` are spread about their middle:
    factor y - (factor - 1) / 2, scale_x_y of YOLOv4."""

    boxes: int
    logistic: tuple[Range, ...] = ()
    softmaxes: tuple[Range, ...] = ()
    scaled: tuple[Range, ...] = ()
    factor: float = 1.0


def activate_boxes(x: Array, entries: Entries) -> Array:
    """See Entries."""
    x_boxes = _boxes(x, entries.boxes)
    y = x_boxes.copy()
    for start, end in entries.logistic:
        y[..., start:end] = activate(x_boxes[..., start:end], "logistic")
    for start, end in entries.softmaxes:
        y[..., start:end] = softmax(x_boxes[..., start:end], 1, 1.0)
    for start, end in entries.scaled:
        y[..., start:end] = entries.factor * y[..., start:end] - (entries.factor - 1) / 2
    return y.reshape(x.shape)


def activate_boxes_backward(delta: Array, y: Array, entries: Entries) -> Array:
    """The exact gradient, from the output y."""
    delta_boxes, y_boxes = _boxes(delta, entries.boxes).copy(), _boxes(y, entries.boxes).copy()
    for start, end in entries.scaled:
        delta_boxes[..., start:end] *= entries.factor
        shifted = y_boxes[..., start:end] + (entries.factor - 1) / 2
        y_boxes[..., start:end] = shifted / entries.factor if entries.factor else shifted
    x_delta = delta_boxes.copy()
    for start, end in entries.logistic:
        at = (..., slice(start, end))
        x_delta[at] = activate_backward(delta_boxes[at], y_boxes[at], "logistic")
    for start, end in entries.softmaxes:
        at = (..., slice(start, end))
        x_delta[at] = softmax_backward(delta_boxes[at], y_boxes[at], 1, 1.0)
    return x_delta.reshape(y.shape)


def _boxes(x: Array, boxes: int) -> Array:
    return x.reshape(*x.shape[:-1], boxes, -1)
