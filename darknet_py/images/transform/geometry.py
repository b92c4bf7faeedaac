"""Pictures flipped, and rotated about their centre."""

from __future__ import annotations

import math

import numpy as np

from darknet_py.images.arrays import Array, Doubles, Floats
from darknet_py.images.transform.resize import check_image


def flip_image(image: Array) -> Floats:
    """The picture (h, w, c) with left and right exchanged: a new, C-contiguous float32 array.
    Source: flip_image, which works in place."""
    check_image(image)
    return image[:, ::-1].astype(np.float32, order="C")


def rotate_image(image: Array, rad: float) -> Floats:
    """The picture (h, w, c) rotated by `rad` radians about its centre, anticlockwise if positive: a
    new float32 array of its size; outside the picture is 0. Source: rotate_image."""
    check_image(image)
    h, w, _ = image.shape
    x = np.arange(w, dtype=np.float64) - w / 2
    y = np.arange(h, dtype=np.float64) - h / 2
    return sample_rotated(image, x, y, rad)


def sample_rotated(image: Array, x: Doubles, y: Doubles, rad: float) -> Floats:
    """The picture at the rotated grid of columns `x` and rows `y`, counted from its centre."""
    in_h, in_w, _ = image.shape
    cos, sin = math.cos(float32(rad)), math.sin(float32(rad))
    rx = cos * x - sin * y[:, None] + in_w / 2
    ry = sin * x + cos * y[:, None] + in_h / 2
    # Beyond the edge all is 0; clipped, no place is too far for an integer.
    rx = np.clip(rx, -2, in_w + 1).astype(np.float32)
    ry = np.clip(ry, -2, in_h + 1).astype(np.float32)
    return _bilinear(image.astype(np.float32, copy=False), rx, ry)


def float32(value: float) -> float:
    """As the C program keeps arguments and places, while it computes between in double."""
    return float(np.float32(value))


def _bilinear(image: Floats, x: Floats, y: Floats) -> Floats:
    """Each place's four neighbours, blended; pixels outside the picture count as 0."""
    in_h, in_w, c = image.shape
    left, top = np.floor(x), np.floor(y)
    dx, dy = x - left, y - top
    column, row = left.astype(np.intp), top.astype(np.intp)
    pixels = image.reshape(in_h * in_w, c)
    blended = np.zeros((*x.shape, c), dtype=np.float32)
    for right, x_share in ((0, 1 - dx), (1, dx)):
        for below, y_share in ((0, 1 - dy), (1, dy)):
            at_x, at_y = column + right, row + below
            inside = (at_x >= 0) & (at_x < in_w) & (at_y >= 0) & (at_y < in_h)
            index = np.where(inside, at_y * in_w + at_x, 0)
            share = np.where(inside, y_share * x_share, np.float32(0))
            blended += share[:, :, None] * pixels[index]
    return blended
