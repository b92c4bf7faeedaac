"""[detection]: the boxes of a YOLO version 1 detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Shape, Wanted, register
from darknet_py.layers.parts.head import COORDINATES, Head, Size, above
from darknet_py.ops.detection import Entries


@register("detection")
class Detection(Head):
    """A vector: of side x side cells first the classes of each, then the objectness of its num
    boxes, then these boxes, each x, y, w, h.

    y = x, with softmax the classes of each cell through a softmax. A box's centre is ((column + x)
    / side, (row + y) / side), its size (w, h), with sqrt their squares, relative to the picture;
    the probability of a class is object * class of the cell.

    Keys: side (7), num (1), classes (1), coords (1, which is to be
    written as coords=4), softmax (0), sqrt
    (0). Those that only matter for training a detector stand in cfg/keys.py.

    in any map of side^2 (num (1 + coords) + classes) numbers -> out (1, 1, the same number).

    No loss. backward is the exact gradient. Source: Redmon et al. 2016 (YOLO); detection_layer.c,
    in inference.
    """

    is_vector = True
    of_picture = True

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.side = side = section.get_int("side", 7, minimum=1, maximum=1024)
        self.num = section.get_int("num", 1, minimum=1, maximum=1024)
        self.classes = section.get_int("classes", 1, minimum=1)
        coords = section.get_int("coords", 1, minimum=1)
        if coords != COORDINATES:
            section.fail(f"coords={coords}: expected coords=4, x, y, w and h", "coords")
        expected = side * side * (self.num * (1 + coords) + self.classes)
        if self.in_shape.size != expected:
            section.fail(
                f"does not fit a {self.in_shape} input: side={side}, num={self.num} and "
                f"classes={self.classes} need side^2 (num x 5 + classes) = {expected} numbers"
            )
        self.is_sqrt = section.get_flag("sqrt")
        self.softmax = section.get_flag("softmax")
        self.out_shape = Shape(1, 1, expected)
        each = range(0, side * side * self.classes, self.classes)
        ranges = tuple((start, start + self.classes) for start in each)
        self.entries = Entries(1, softmaxes=ranges if self.softmax else ())

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.flatten_chw(x)
        if self.softmax:
            y = ops.activate_boxes(y, self.entries)
        return y, (x.shape, y)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        shape, y = saved
        if self.softmax:
            delta = ops.activate_boxes_backward(delta, y, self.entries)
        return [ops.flatten_chw_backward(delta, shape)]

    def boxes(self, output: np.ndarray, net: Size, thresh: float, hier: float) -> np.ndarray:
        """All boxes, cell after cell, of the picture."""
        side, num = self.side, self.num
        count = side * side
        parts = np.split(output.reshape(-1), [count * self.classes, count * (self.classes + num)])
        classes = parts[0].reshape(count, 1, self.classes)
        objects = parts[1].reshape(count, num, 1)
        box = parts[2].reshape(count, num, COORDINATES)
        cell = np.arange(count, dtype=np.float32)[:, None]
        with np.errstate(all="ignore"):
            x = (box[..., 0] + cell % side) / side
            y = (box[..., 1] + cell // side) / side
            size = np.square(box[..., 2:]) if self.is_sqrt else box[..., 2:]
            probabilities = above(objects * classes, thresh)
        rows = [x[..., None], y[..., None], size, objects, probabilities]
        found: np.ndarray = np.concatenate(rows, axis=2).reshape(count * num, -1)
        return found.astype(np.float32, copy=False)

    def describe(self) -> str:
        return "Detection Layer"
