"""What the heads of detectors share: a head's output becomes boxes."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from darknet_py.layers.base import Layer

COORDINATES = 4
"""Of a row of boxes: x, y, w, h, of the centre and the size. Then objectness and the classes."""


class Size(NamedTuple):
    """Width and height, in pixels."""

    w: int
    h: int


class Head(Layer):
    """A layer whose output holds boxes. classes: how many it knows. nms_kind, beta_nms: how
    overlapping ones are suppressed, see suppress. of_picture: whether its boxes are relative to the
    picture, not to the network's input."""

    classes: int
    nms_kind = "sort"
    beta_nms = 0.6
    of_picture = False

    @abstractmethod
    def boxes(self, output: np.ndarray, net: Size, thresh: float, hier: float) -> np.ndarray:
        """The boxes (k, 5 + classes) in the output (h, w, c) for one picture.

        Rows are x, y, w, h (0..1 of the network's input), objectness, and a probability a class,
        0 where it is not above `thresh`. net: the size of the input, thresh: 0..1, hier: of a
        hierarchy of classes. Which boxes there are, and in what order, is the C programs'.
        """


def cells(h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell of a grid its column (1, w, 1) and its row (h, 1, 1)."""
    columns, rows = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)
    return columns[None, :, None], rows[:, None, None]


def logistic(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        found: np.ndarray = 1 / (1 + np.exp(-x))
    return found


def above(values: np.ndarray, thresh: float) -> np.ndarray:
    """The values that are above, 0 in the place of others, and of NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(values > np.float32(thresh), values, np.float32(0))
