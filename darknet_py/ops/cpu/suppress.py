"""Non-maximum suppression: of boxes that overlap the most probable stays. For the CPU alone, where
boxes are made."""

from __future__ import annotations

import math

import numpy as np

from darknet_py.ops.array_types import Array
from darknet_py.ops.cpu.codegen.jit import jit


def suppressed(values: Array, least: float, boxes: Array, limit: float, beta: float) -> Array:
    """Whether each value (k, n) is suppressed by one before it in its row: bool (k, n).

    values: those that are not above `least` take no part; the largest come first, of equal ones
    those that stand first. boxes (n, 4): x, y, w, h of centre and size, float64. One is suppressed
    where its overlap with one that stays is above `limit`: IoU - (d^2 / c^2)^beta, d the distance
    of the centres, c the diagonal of the smallest box around both; beta 0: IoU alone. Two that do
    not overlap have an IoU of 0.
    """
    gone = np.zeros(values.shape, np.bool_)
    order = np.argsort(-values, axis=1, kind="stable")
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    _suppress(values, least, order, boxes, corners, limit, beta, gone)
    return gone


@jit
def _suppress(values, least, order, boxes, corners, limit, beta, gone):  # type: ignore[no-untyped-def]
    count, n = values.shape
    places = np.empty(n, np.int64)
    for k in range(count):
        found = 0
        for i in range(n):  # those that take part, the largest first
            place = order[k, i]
            if values[k, place] > least:
                places[found] = place
                found += 1
        for i in range(found):
            one = places[i]
            if gone[k, one]:
                continue
            for j in range(i + 1, found):
                other = places[j]
                if not gone[k, other] and _overlap(boxes, corners, one, other, beta) > limit:
                    gone[k, other] = True


@jit
def _overlap(boxes, corners, a, b, beta):  # type: ignore[no-untyped-def]
    w = min(corners[a, 2], corners[b, 2]) - max(corners[a, 0], corners[b, 0])
    h = min(corners[a, 3], corners[b, 3]) - max(corners[a, 1], corners[b, 1])
    overlap = 0.0
    if w > 0 and h > 0:
        both = w * h
        overlap = both / (boxes[a, 2] * boxes[a, 3] + boxes[b, 2] * boxes[b, 3] - both)
    if beta == 0:
        return overlap
    wide = max(corners[a, 2], corners[b, 2]) - min(corners[a, 0], corners[b, 0])
    high = max(corners[a, 3], corners[b, 3]) - min(corners[a, 1], corners[b, 1])
    diagonal = wide * wide + high * high
    if diagonal == 0:
        return overlap
    across, down = boxes[a, 0] - boxes[b, 0], boxes[a, 1] - boxes[b, 1]
    return overlap - math.pow((across * across + down * down) / diagonal, beta)
