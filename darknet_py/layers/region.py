"""[region]: the boxes of a YOLO version 2 detector."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, read_anchors, register


@register("region")
class Region(Layer):
    """Each pixel holds num boxes, each box x, y, w, h and more coordinates, object, classes.

    Of each box y is logistic(x) for x and y, for object unless background, and for the classes
    unless softmax; with softmax the classes are one softmax, to which with background object
    belongs, as the class of nothing. All else is as it was.

    Keys: num (1), coords (4), classes (20), softmax (0), background (0), anchors (.5 each: width
    and height of each box, in pixels of this map). Those that only matter for training a detector
    or drawing boxes, which this toolkit does not, stand in cfg/keys.py, and so does tree, a
    hierarchical softmax, which is an error.

    in (h, w, num (coords + 1 + classes)), box after box -> out the same.

    No loss. backward is the exact gradient, where the C program has none.
    Source: Redmon, Farhadi 2017 (YOLO9000); region_layer.c, in inference.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.num = section.get_int("num", 1, minimum=1, maximum=1024)
        self.coords = section.get_int("coords", 4, minimum=4)
        self.classes = section.get_int("classes", 20, minimum=1)
        first_class, end = self.coords + 1, self.coords + 1 + self.classes
        if self.in_shape.c != self.num * end:
            section.fail(
                f"does not fit a {self.in_shape} input: num={self.num}, coords={self.coords} and "
                f"classes={self.classes} need num x (coords + 1 + classes) = {self.num * end} "
                "channels"
            )
        softmax, background = section.get_flag("softmax"), section.get_flag("background")
        self.anchors = read_anchors(section, self.num)
        self.logistic = [(0, 2)]
        if not background:
            self.logistic.append((self.coords, first_class))
        if not softmax:
            self.logistic.append((first_class, end))
        first = self.coords if background else first_class
        self.probabilities = (first, end) if softmax else None

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate_boxes(x, self.num, self.logistic, self.probabilities)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        boxes = self.num, self.logistic, self.probabilities
        return [ops.activate_boxes_backward(delta, saved, *boxes)]

    def describe(self) -> str:
        return "detection"
