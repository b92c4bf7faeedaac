"""From the outputs of a detector's heads to boxes on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.layers.parts.head import COORDINATES, Head, Size
from darknet_py.network.model import Model


def heads(net: Model) -> list[int]:
    """The layers that hold boxes. Raises ShapeError where there are none."""
    found = [index for index, layer in enumerate(net.layers) if isinstance(layer, Head)]
    if not found:
        raise ShapeError(
            f"{net.path}: finds no boxes: expected a [yolo], [region] or [detection] layer"
        )
    return found


def is_detector(net: Model) -> bool:
    return any(isinstance(layer, Head) for layer in net.layers)


def last_head(net: Model) -> Head:
    """The last one, whose classes and suppression are the network's. Raises ShapeError."""
    layer = net.layers[heads(net)[-1]]
    assert isinstance(layer, Head)
    return layer


def boxes_in(
    net: Model,
    outputs: Sequence[np.ndarray],
    shown: Size,
    picture: Size,
    thresh: float,
    hier: float,
    is_letterboxed: bool,
) -> np.ndarray:
    """All boxes (k, 5 + classes) of one picture, relative to it: see Network.boxes.

    outputs: of each head (h, w, c); shown: the size that the network was given; is_letterboxed:
    whether the picture lies whole on it.
    """
    layers = [net.layers[index] for index in heads(net)]
    classes = last_head(net).classes
    found = []
    for layer, output in zip(layers, outputs, strict=True):
        assert isinstance(layer, Head)
        rows = layer.boxes(output, shown, thresh, hier)
        if layer.of_picture:
            with np.errstate(all="ignore"):
                rows[:, :COORDINATES] *= np.array([*picture, *picture], rows.dtype)
        elif is_letterboxed:
            _uncover(rows, shown, picture)
        missing = classes - layer.classes
        rows = np.pad(rows, [(0, 0), (0, max(missing, 0))])[:, : 5 + classes]
        found.append(rows)
    return np.concatenate(found)


def _uncover(rows: np.ndarray, net: Size, picture: Size) -> None:
    """From the network's input to the picture that lies in the middle of it, in place.

    Source: correct_yolo_boxes and correct_region_boxes.
    """
    if np.float32(net.w) / np.float32(picture.w) < np.float32(net.h) / np.float32(picture.h):
        w, h = net.w, picture.h * net.w // picture.w
    else:
        w, h = picture.w * net.h // picture.h, net.h
    w, h = max(w, 1), max(h, 1)
    with np.errstate(all="ignore"):
        rows[:, 0] = (rows[:, 0] - (net.w - w) / 2 / net.w) / (w / net.w)
        rows[:, 1] = (rows[:, 1] - (net.h - h) / 2 / net.h) / (h / net.h)
        rows[:, 2] *= net.w / w
        rows[:, 3] *= net.h / h
