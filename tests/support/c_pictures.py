"""The C program's augmentation, one operation after the other: what the kernel is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.geometry import float32, sample_rotated
from darknet_py.images.transform.resize import check_image, check_size


def rotate_crop_image(
    image: npt.NDArray[Any],
    rad: float,
    s: float,
    w: int,
    h: int,
    dx: float,
    dy: float,
    aspect: float,
) -> npt.NDArray[np.float32]:
    """`w` x `h` pixels of the picture, turned, scaled, moved and stretched in one sampling.

    `image`: shape (in_h, in_w, c). `rad`: radians; `s`: scale, above 0, 2 magnifies; `dx`,
    `dy`: how far the window moves from the middle, in pixels of the result; `aspect`: how many
    times more of the picture's width than of its height a pixel spans. Returns a new float32
    array of shape (h, w, c); what comes from outside the picture is 0.

    Source: rotate_crop_image, with which training crops.
    """
    check_image(image)
    check_size(w, h)
    if not s > 0:
        raise ValueError(f"a scale of {s} is not above 0")
    s, dx, dy, aspect = (float32(value) for value in (s, dx, dy, aspect))
    x = (np.arange(w, dtype=np.float64) - w / 2 + dx) / s * aspect
    y = (np.arange(h, dtype=np.float64) - h / 2 + dy) / s
    return sample_rotated(image, x, y, rad)


def rgb_to_hsv(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Hue, saturation, value of each pixel.

    `image`: RGB, shape (h, w, 3), values 0..1. Returns a new float32 array of that shape: hue
    from 0 to below 1 (red 0, green 1/3, blue 2/3; grey 0, where the C program divides 0 by 0),
    saturation 0..1, value 0..1. Source: rgb_to_hsv.
    """
    r, g, b = _channels(image)
    value = np.maximum(np.maximum(r, g), b)
    delta = value - np.minimum(np.minimum(r, g), b)
    # Where delta is 0, so is every difference below.
    divisor = np.where(delta == 0, np.float32(1), delta)
    sixth = np.where(
        r == value,
        (g - b) / divisor,
        np.where(g == value, 2 + (b - r) / divisor, 4 + (r - g) / divisor),
    )
    sixth = np.where(sixth < 0, sixth + 6, sixth)
    # A hue just below red is rounded up to a whole turn, which hsv_to_rgb would make magenta.
    sixth = np.where(sixth == 6, np.float32(0), sixth)
    saturation = delta / np.where(value == 0, np.float32(1), value)
    return np.stack([sixth / 6, saturation, value], axis=2).astype(np.float32, copy=False)


def hsv_to_rgb(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Red, green, blue of each pixel: `rgb_to_hsv` undone.

    `image`: HSV, shape (h, w, 3); hue from 0 to below 1; saturation and value of any size.
    Returns a new float32 array of that shape: 0..1 if saturation and value are.

    Source: hsv_to_rgb. As there, every other hue falls in the last sixth: one of exactly 1
    gives magenta, not red.
    """
    hue, s, v = _channels(image)
    hue = hue * 6
    sector = np.floor(hue)
    f = hue - sector
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    index = np.where((sector >= 0) & (sector < 6), sector, 5).astype(np.intp)
    red = np.choose(index, (v, q, p, p, t, v))
    green = np.choose(index, (t, v, v, q, p, p))
    blue = np.choose(index, (p, p, t, v, v, q))
    return np.stack([red, green, blue], axis=2).astype(np.float32, copy=False)


def distort_image(
    image: npt.NDArray[Any], hue: float, sat: float, val: float
) -> npt.NDArray[np.float32]:
    """The picture with its hue moved by `hue` turns, saturation times `sat`, value times `val`.

    `image`: RGB, shape (h, w, 3), values 0..1. `hue`: -1..1, 1 being once round; `sat`, `val`:
    0 or more. Returns a new float32 array of that shape, clipped to 0..1. Source: distort_image,
    with its magenta for a hue that lands on exactly 1 (see hsv_to_rgb).
    """
    hsv = rgb_to_hsv(image)
    turned = hsv[:, :, 0] + np.float32(hue)
    turned = np.where(turned > 1, turned - 1, turned)
    hsv[:, :, 0] = np.where(turned < 0, turned + 1, turned)
    hsv[:, :, 1] *= np.float32(sat)
    hsv[:, :, 2] *= np.float32(val)
    return np.clip(hsv_to_rgb(hsv), 0, 1)


def _channels(image: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], ...]:
    check_image(image)
    if image.shape[2] != 3:
        raise ValueError(f"an array of shape {image.shape} has no three colours")
    return tuple(image[:, :, k].astype(np.float32) for k in range(3))
