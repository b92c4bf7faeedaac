"""[yolo]: the boxes of a YOLO version 3 detector, at one scale."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, read_anchors, register

_COORDS = 4


@register("yolo")
class Yolo(Layer):
    """Each pixel holds a box for each number in mask, each box x, y, w, h, object, classes.

    Of each box y is x for w and h, logistic(x) for all else.

    Keys: num (1), mask (all of num: which anchors are this layer's), classes (20), anchors (.5
    each: width and height of each of num, in pixels of the picture). Those that only matter for
    training a detector or drawing boxes, which this toolkit does not, stand in cfg/keys.py.

    in (h, w, boxes (4 + 1 + classes)), box after box -> out the same.

    No loss. backward is the exact gradient, where the C program passes delta on.
    Source: Redmon, Farhadi 2018 (YOLOv3); yolo_layer.c, in inference.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        num = section.get_int("num", 1, minimum=1, maximum=1024)
        classes = self.classes = section.get_int("classes", 20, minimum=1)
        mask = self.mask = section.get_ints("mask", list(range(num)), comment=True)
        if not all(0 <= anchor < num for anchor in mask):
            section.fail(f"mask: expected numbers from 0 to {num - 1}, as num={num}", "mask")
        expected = len(mask) * (_COORDS + 1 + classes)
        if self.in_shape.c != expected:
            section.fail(
                f"does not fit a {self.in_shape} input: {len(mask)} boxes and classes={classes} "
                f"need boxes x (4 + 1 + classes) = {expected} channels"
            )
        self.anchors = read_anchors(section, num)
        self.logistic = [(0, 2), (_COORDS, _COORDS + 1 + classes)]

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate_boxes(x, len(self.mask), self.logistic, None)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_boxes_backward(delta, saved, len(self.mask), self.logistic, None)]

    def describe(self) -> str:
        return "yolo"
