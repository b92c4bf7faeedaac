"""One picture for a network: as it is, and as the network takes it."""

from __future__ import annotations

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
    to_channels,
    to_image,
)
from darknet_py.network import Network


@dataclass(frozen=True)
class Picture:
    """image: (h, w, 3) RGB, 0..1, as in the file; x: (c, h', w'), fitted to the network; frame:
    where the edges of x lie on the image; path: of the file, or what the picture is called."""

    path: Path
    image: np.ndarray
    x: np.ndarray
    frame: Frame


def load_picture(net: Network, picture: Given, fit: str, number: int = 1) -> Picture:
    """Reads a picture and fits it. number: what to call one without a name by. Raises PictureError,
    or ShapeError where the network takes something else than pictures."""
    h, w, c = net.in_shape
    if c not in (1, 3):
        raise ShapeError(f"{net.path}: takes {c} channels: pictures have 1 or 3")
    name = name_of(picture, number)
    image, fitted = _fitted(picture, name, w, h, fit)
    x = np.ascontiguousarray(to_channels(fitted, c).transpose(2, 0, 1))
    frame = fitted_frame(image.shape[1], image.shape[0], w, h, fit)
    return Picture(Path(name), image, x, frame)


def _fitted(picture: Given, name: str, w: int, h: int, fit: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(picture, str | Path):
        return load_with_fitted(picture, w, h, fit)
    image = to_image(picture, name)
    try:
        return image, fit_image(image, w, h, fit)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from error
