"""[yolo]: the boxes of a YOLO version 3 or 4 detector, at one scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Wanted, read_anchors, register
from darknet_py.layers.parts.head import COORDINATES, Head, Size, above, cells
from darknet_py.ops.detection import Entries

NMS_KINDS = ("default", "greedynms", "diounms", "cornersnms")


class YoloHead(Head):
    """What [yolo] and [Gaussian_yolo] share: their keys, and a box for each number in mask."""

    coordinates: int
    """Entries of a box before its objectness."""

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        num = section.get_int("num", 1, minimum=1, maximum=1024)
        classes = self.classes = section.get_int("classes", 20, minimum=1)
        mask = self.mask = section.get_ints("mask", list(range(num)), comment=True)
        if not all(0 <= anchor < num for anchor in mask):
            section.fail(f"mask: expected numbers from 0 to {num - 1}, as num={num}", "mask")
        entries = self.coordinates + 1 + classes
        expected = len(mask) * entries
        if self.in_shape.c != expected:
            section.fail(
                f"does not fit a {self.in_shape} input: {len(mask)} boxes and classes={classes} "
                f"need boxes x ({self.coordinates} + 1 + classes) = {expected} channels"
            )
        self.anchors = read_anchors(section, num)
        self.scale_x_y = section.get_float("scale_x_y", 1, minimum=0)
        kind = section.get_choice("nms_kind", "default", NMS_KINDS, fallback="default")
        self.nms_kind = kind if kind in ("greedynms", "diounms") else "sort"
        self.beta_nms = section.get_float("beta_nms", 0.6)

    entries: Entries

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate_boxes(x, self.entries)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_boxes_backward(delta, saved, self.entries)]

    def _anchors(self) -> tuple[np.ndarray, np.ndarray]:
        """Width and height of each box of a cell, in pixels of the network's input."""
        pairs = np.array(self.anchors, np.float32).reshape(-1, 2)[self.mask]
        return pairs[:, 0], pairs[:, 1]


@register("yolo")
class Yolo(YoloHead):
    """Each pixel holds a box for each number in mask, each box x, y, w, h, object, classes.

    Of each box y is x for w and h, logistic(x) for all else, and for x and y then
    scale_x_y y - (scale_x_y - 1) / 2. With new_coords nothing goes through a logistic: the layer
    before is to have activation=logistic.

    A box's centre is ((column + x) / w, (row + y) / h), its size that of its anchor times exp(w),
    exp(h), with new_coords times 4 w^2, 4 h^2; the probability of a class object * class.

    Keys: num (1), mask (all of num: which anchors are this layer's), classes (20), anchors (.5
    each: width and height of each of num, in pixels of the network's input), scale_x_y (1),
    new_coords (0), nms_kind (default), beta_nms (.6). Those that only matter for training a
    detector stand in cfg/keys.py.

    in (h, w, boxes (4 + 1 + classes)), box after box -> out the same.

    No loss. backward is the exact gradient, where the C program passes delta on.
    Source: Redmon, Farhadi 2018 (YOLOv3); Bochkovskiy et al. 2020 (YOLOv4); yolo_layer.c of both
    programs, in inference.
    """

    coordinates = COORDINATES

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.new_coords = section.get_flag("new_coords")
        logistic = ((0, 2), (COORDINATES, COORDINATES + 1 + self.classes))
        self.entries = Entries(
            len(self.mask),
            () if self.new_coords else logistic,
            scaled=() if self.scale_x_y == 1 else ((0, 2),),
            factor=self.scale_x_y,
        )

    def boxes(self, output: np.ndarray, net: Size, thresh: float, hier: float) -> np.ndarray:
        h, w, _ = output.shape
        y = output.reshape(h, w, len(self.mask), -1)
        columns, rows = cells(h, w)
        wide, high = self._anchors()
        with np.errstate(all="ignore"):
            is_there = y[..., 4] > np.float32(thresh)
            size = 4 * np.square(y[..., 2:4]) if self.new_coords else np.exp(y[..., 2:4])
            geometry = (
                (columns + y[..., 0]) / w,
                (rows + y[..., 1]) / h,
                size[..., 0] * wide / net.w,
                size[..., 1] * high / net.h,
                y[..., 4],
            )
            found = np.stack([each[is_there] for each in geometry], axis=-1)
            probabilities = above(found[:, 4:] * y[is_there][:, 5:], thresh)
        return np.concatenate([found, probabilities], axis=1)

    def describe(self) -> str:
        return "yolo"


@register("Gaussian_yolo")
class GaussianYolo(YoloHead):
    """Each pixel holds a box for each number in mask, each box x, y, w, h, each of them followed by
    its deviation, object, classes.

    Of each box y is x for w and h, logistic(x) for all else; scale_x_y as in [yolo]. The
    probability of a class is object * class * (1 - mean of the four deviations). yolo_point says
    which point of a box x and y are: center, left_top or right_bottom.

    Keys: num (1), mask (all of num), classes (20), anchors (.5 each), scale_x_y (1), yolo_point
    (center), nms_kind (default), beta_nms (.6), as in [yolo].

    in (h, w, boxes (8 + 1 + classes)), box after box -> out the same.

    No loss. Source: Choi et al. 2019 (Gaussian YOLOv3); gaussian_yolo_layer.c of AlexeyAB's
    program, in inference.
    """

    coordinates = 2 * COORDINATES

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        points = ("center", "left_top", "right_bottom")
        self.yolo_point = section.get_choice("yolo_point", "center", points, fallback="center")
        self.entries = Entries(
            len(self.mask),
            ((0, 4), (5, 6), (7, 8 + 1 + self.classes)),
            scaled=() if self.scale_x_y == 1 else ((0, 1), (2, 3)),
            factor=self.scale_x_y,
        )

    def boxes(self, output: np.ndarray, net: Size, thresh: float, hier: float) -> np.ndarray:
        h, w, _ = output.shape
        y = output.reshape(h, w, len(self.mask), -1)
        columns, rows = cells(h, w)
        wide, high = self._anchors()
        with np.errstate(all="ignore"):
            is_there = y[..., 8] > np.float32(thresh)
            box_w, box_h = np.exp(y[..., 4]) * wide / net.w, np.exp(y[..., 6]) * high / net.h
            half = {"center": 0, "left_top": 0.5, "right_bottom": -0.5}[self.yolo_point]
            geometry = (
                (columns + y[..., 0]) / w + half * box_w,
                (rows + y[..., 2]) / h + half * box_h,
                box_w,
                box_h,
                y[..., 8],
                1 - y[..., 1:8:2].mean(axis=-1),
            )
            found = np.stack([each[is_there] for each in geometry], axis=-1)
            certain = found[:, 4:5] * y[is_there][:, 9:] * found[:, 5:]
        return np.concatenate([found[:, :5], above(certain, thresh)], axis=1)

    def describe(self) -> str:
        return "Gaussian_yolo"
