"""One picture for a network: as it is, and as the network takes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.errors import PictureError, ShapeError
from darknet_py.images import (
    Frame,
    Given,
    fit_image,
    fitted_frame,
    load_with_fitted,
    name_of,
    resize_image,
    to_channels,
    to_float,
    to_image,
)
from darknet_py.network import Network
from darknet_py.resources import find_resource


@dataclass(frozen=True)
class Picture:
    """image: (h, w, 3) RGB, 0..1, as in the file; x: (c, h', w'), fitted to the network; frame:
    where the edges of x lie on the image; path: of the file, or what the picture is called."""

    path: Path
    image: np.ndarray
    x: np.ndarray
    frame: Frame


def load_picture(net: Network, picture: Given, fit: str, number: int = 1) -> Picture:
    """Reads a picture and fits it. Where the network does not take the size that "min" gives, the
    picture is stretched to the next one that it takes, which is said once.

    number: what to call one without a name by. Raises PictureError, or ShapeError where the network
    takes something else than pictures.
    """
    h, w, _ = net.in_shape
    pixels, x = _load(net, picture, fit, number)
    frame = fitted_frame(pixels.shape[1], pixels.shape[0], w, h, fit)
    return Picture(Path(name_of(picture, number)), to_float(pixels), x, frame)


def load_input(net: Network, picture: Given, fit: str, number: int = 1) -> np.ndarray:
    """Of `load_picture` the x alone: a large photo never becomes floats."""
    return _load(net, picture, fit, number)[1]


def _load(net: Network, picture: Given, fit: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, bytes or floats from 0 to 1, and x."""
    h, w, c = net.in_shape
    if c not in (1, 3):
        raise ShapeError(f"{net.path}: takes {c} channels: pictures have 1 or 3")
    pixels, fitted = _fitted(picture, name_of(picture, number), w, h, fit)
    if fit == "min":
        fitted = _stretched(net, pixels, fitted)
    return pixels, np.ascontiguousarray(to_channels(fitted, c).transpose(2, 0, 1))


def _fitted(picture: Given, name: str, w: int, h: int, fit: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(picture, str | os.PathLike):
        return load_with_fitted(find_resource(os.fspath(picture)) or picture, w, h, fit)
    image = to_image(picture, name)
    try:
        return image, fit_image(image, w, h, fit)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from error


def _stretched(net: Network, image: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """The picture at the next size that the network takes."""
    wanted_size = fitted.shape[1], fitted.shape[0]
    w, h = net.next_size(*wanted_size)
    if (w, h) == wanted_size:
        return fitted
    net.note(
        f"{net.path}: does not take pictures of every size: they are stretched to the next one "
        "that fits, by less than 64 pixels (--fit letterbox or crop does not stretch)"
    )
    return resize_image(image, w, h)
