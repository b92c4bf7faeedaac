"""One picture for a network: as it is, and as the network takes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.images import Frame, fitted_frame, load_with_fitted, to_channels
from darknet_py.network import Network


@dataclass(frozen=True)
class Picture:
    """image: (h, w, 3) RGB, 0..1, as in the file; x: (c, h', w'), fitted to the network; frame:
    where the edges of x lie on the image."""

    path: Path
    image: np.ndarray
    x: np.ndarray
    frame: Frame


def load_picture(net: Network, path: str | os.PathLike[str], fit: str) -> Picture:
    """Reads a picture and fits it. Raises PictureError, or ShapeError where the network takes
    something else than pictures."""
    h, w, c = net.in_shape
    if c not in (1, 3):
        raise ShapeError(f"{net.path}: takes {c} channels: pictures have 1 or 3")
    image, fitted = load_with_fitted(path, w, h, fit)
    x = np.ascontiguousarray(to_channels(fitted, c).transpose(2, 0, 1))
    frame = fitted_frame(image.shape[1], image.shape[0], w, h, fit)
    return Picture(Path(path), image, x, frame)
