"""How rough a picture is, and how to make it less so."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.checks import check_image

_ROUND = 1e-3
"""Below this difference of neighbours, about, their distance counts by its square: what is smooth
stays, and the derivative is there everywhere."""


def total_variation(image: npt.NDArray[Any]) -> float:
    """The sum of sqrt(dx^2 + dy^2 + 1e-6), dx and dy the differences to the next pixel.

    `image`: shape (h, w, c). Source: Rudin, Osher, Fatemi 1992.
    """
    check_image(image)
    dx, dy = _differences(image)
    return float(_length(dx, dy).sum(dtype=np.float64))


def variation_delta(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The negative gradient of the total variation: an array of the picture's shape and type."""
    check_image(image)
    dx, dy = _differences(image)
    length = _length(dx, dy)
    dx /= length
    dy /= length
    delta: npt.NDArray[Any] = dx + dy
    delta[:, 1:] -= dx[:, :-1]
    delta[1:] -= dy[:-1]
    return delta


def _differences(image: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    dx, dy = np.zeros_like(image), np.zeros_like(image)
    np.subtract(image[:, 1:], image[:, :-1], out=dx[:, :-1])
    np.subtract(image[1:], image[:-1], out=dy[:-1])
    return dx, dy


def _length(dx: npt.NDArray[Any], dy: npt.NDArray[Any]) -> npt.NDArray[Any]:
    length: npt.NDArray[Any] = np.sqrt(dx * dx + dy * dy + _ROUND**2)
    return length
