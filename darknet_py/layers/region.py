"""[region]: the boxes of a YOLO version 2 detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Wanted, read_anchors, register
from darknet_py.layers.parts.head import COORDINATES, Head, Size, above, cells, logistic
from darknet_py.layers.parts.tree import Tree, read_map, read_tree_of
from darknet_py.ops.detection import Entries


@register("region")
class Region(Head):
    """Each pixel holds num boxes, each box x, y, w, h and more coordinates, object, classes.

    Of each box y is logistic(x) for x and y, for object unless background, and for the classes
    unless softmax; with softmax the classes are one softmax, to which with background object
    belongs, as the class of nothing; with tree a softmax for each group of siblings. All else is as
    it was. By AlexeyAB's rules object is a logistic, the classes are as they were unless softmax or
    tree, and x and y too: their logistic is taken when boxes are made; and the values lie pixel
    after pixel, not channel after channel.

    A box's centre is ((column + x) / w, (row + y) / h), its size that of its anchor, in pixels of
    this map, times exp(w), exp(h); the probability of a class object * class. With tree a class's
    probability is the product of its own and its ancestors', and a box has one class: the most
    probable from the root on while the product is above `hier`. map names 200 classes of a tree
    that stand for those of another data set.

    Keys: num (1), coords (4), classes (20), softmax (0), background (0), tree (a file with a name
    and its parent's number a line), map (a file of numbers), anchors (.5 each: width and height of
    each box, in pixels of this map). Those that only matter for training a detector stand in
    cfg/keys.py.

    in (h, w, num (coords + 1 + classes)), box after box -> out the same.

    No loss. backward is the exact gradient, where the C program has none.
    Source: Redmon, Farhadi 2017 (YOLO9000); region_layer.c of both programs, in inference.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.rules = context.rules
        self.num = section.get_int("num", 1, minimum=1, maximum=1024)
        self.coords = section.get_int("coords", COORDINATES, minimum=COORDINATES)
        self.classes = section.get_int("classes", 20, minimum=1)
        end = self.coords + 1 + self.classes
        if self.in_shape.c != self.num * end:
            section.fail(
                f"does not fit a {self.in_shape} input: num={self.num}, coords={self.coords} and "
                f"classes={self.classes} need num x (coords + 1 + classes) = {self.num * end} "
                "channels"
            )
        self.softmax = section.get_flag("softmax")
        self.background = section.get_flag("background")
        self.anchors = read_anchors(section, self.num)
        self.tree: Tree | None = read_tree_of(section, self.classes)
        self.map = read_map(section, self.classes) if self.tree is not None else None
        if self.map is None:
            section.skip(["map"])

    @property
    def is_pixel_major(self) -> bool:  # type: ignore[override]
        return self.rules.is_alexeyab

    @property
    def entries(self) -> Entries:
        coords, first = self.coords, self.coords + 1
        end = first + self.classes
        is_alexeyab, background = self.rules.is_alexeyab, self.background
        softmaxes: tuple[tuple[int, int], ...] = ()
        if self.tree is not None:
            softmaxes = tuple((first + a, first + b) for a, b in self.tree.groups)
        elif self.softmax:
            softmaxes = ((coords if background and not is_alexeyab else first, end),)
        if is_alexeyab:
            return Entries(self.num, ((coords, first),), softmaxes)
        ranges = [(0, 2)]
        if not background:
            ranges.append((coords, first))
        if not softmaxes:
            ranges.append((first, end))
        return Entries(self.num, tuple(ranges), softmaxes)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate_boxes(x, self.entries)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_boxes_backward(delta, saved, self.entries)]

    def boxes(self, output: np.ndarray, net: Size, thresh: float, hier: float) -> np.ndarray:
        """All boxes; where the objectness is not above `thresh` it and all classes are 0. By
        pjreddie's rules anchor after anchor, by AlexeyAB's cell after cell, their objectness 1."""
        h, w, _ = output.shape
        y = output.reshape(h, w, self.num, -1)
        columns, rows = cells(h, w)
        anchors = np.array(self.anchors, np.float32).reshape(-1, 2)
        is_alexeyab = self.rules.is_alexeyab
        with np.errstate(all="ignore"):
            centre = logistic(y[..., :2]) if is_alexeyab else y[..., :2]
            objects = y[..., self.coords]
            if self.background and not is_alexeyab:
                objects = np.ones_like(objects)
            size = np.exp(y[..., 2:4]) * anchors / np.array([w, h], np.float32)
            x = (columns + centre[..., 0]) / w, (rows + centre[..., 1]) / h
            classes = self._classes(y[..., self.coords + 1 :], objects, thresh, hier)
            is_there = objects > np.float32(thresh)
            shown = np.ones_like(objects) if is_alexeyab else np.where(is_there, objects, 0)
            if self.tree is None and not is_alexeyab:
                classes = np.where(is_there[..., None], classes, 0)
        found = np.concatenate(
            [*(each[..., None] for each in x), size, shown[..., None], classes], axis=-1
        )
        if not is_alexeyab:
            found = found.transpose(2, 0, 1, 3)
        return found.reshape(-1, found.shape[-1]).astype(np.float32, copy=False)

    def _classes(
        self, classes: np.ndarray, objects: np.ndarray, thresh: float, hier: float
    ) -> np.ndarray:
        """The probabilities (h, w, num, classes) of what is above thresh."""
        objects = objects[..., None]
        if self.tree is None:
            return above(objects * classes, thresh)
        found: np.ndarray = np.zeros_like(classes)
        whole = self.tree.absolute(classes)
        if self.map is not None:
            found[..., : len(self.map)] = above(objects * whole[..., self.map], thresh)
            return found
        best = self.tree.top(whole, hier)
        np.put_along_axis(found, best[..., None], above(objects, thresh), axis=-1)
        return found

    def describe(self) -> str:
        return "detection"
