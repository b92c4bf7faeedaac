"""Boxes on a picture: which of those that overlap stay."""

from __future__ import annotations

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.ops.cpu.suppress import suppressed
from darknet_py.options import Real, Word, read_argument

KINDS = ("sort", "obj", "greedynms", "diounms", "cornersnms")
_GREEDY = 0.6
"""The exponent of greedynms."""


def suppress(boxes: np.ndarray, kind: str, threshold: float, beta: float = 0.6) -> np.ndarray:
    """Of boxes that overlap the most probable alone: the same rows, suppressed values 0.

    boxes (k, 5 + classes): as `Network.boxes` gives them. Those with an objectness of 0 take no
    part. kind:

    - "sort": class by class, the probability of a box whose intersection over union with a more
      probable one is above `threshold`; objectness stays. "cornersnms" is the same.
    - "obj": objectness and all probabilities of a box that overlaps so with one of more objectness.
    - "diounms": as "sort" with IoU - (d^2 / c^2)^beta in the place of IoU, d the distance of the
      centres, c the diagonal of the smallest box around both. "greedynms": with beta .6.

    A new array of the same type. Raises ArgumentError, and ShapeError for another shape.
    """
    kind = read_argument("kind", kind, Word(KINDS))
    limit = read_argument("threshold", threshold, Real())
    exponent = read_argument("beta", beta, Real())
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] < 5 or boxes.dtype.kind != "f":
        found = f"{boxes.dtype} {boxes.shape}"
        raise ShapeError(f"expected boxes (k, 5 + classes) of floats, found {found}")
    kept = boxes.copy()
    takes_part = boxes[:, 4] != 0
    mine = boxes[takes_part].astype(np.float64)
    exponent = {"greedynms": _GREEDY, "diounms": exponent}.get(kind, 0)
    values = mine[:, 4:5].T if kind == "obj" else mine[:, 5:].T
    with np.errstate(all="ignore"):
        least = -np.inf if kind == "obj" else 0.0
        values = np.ascontiguousarray(values)
        gone = suppressed(values, least, mine[:, :4].copy(), float(limit), float(exponent)).T
    rows = kept[takes_part]
    if kind == "obj":
        rows[gone[:, 0], 4:] = 0
    else:
        rows[:, 5:][gone] = 0
    kept[takes_part] = rows
    return kept
