"""A coarse map of numbers laid over a picture, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.transform.fit import Frame

_Floats = npt.NDArray[np.float32]


def spread_heat(heat: npt.NDArray[Any], w: int, h: int, frame: Frame | None = None) -> _Floats:
    """The map at every pixel of a picture of `w` x `h`: between the middles of its cells linear,
    level from the outermost ones on.

    `heat`: shape (h', w'), any range; its edges lie on the picture where `frame` says, on the
    picture's own unless given. Returns float32 of shape (h, w), 0 outside the frame.
    """
    frame = frame or Frame(0, 0, w, h)
    rows = _along(h, frame.top, frame.bottom, heat.shape[0])
    columns = _along(w, frame.left, frame.right, heat.shape[1])
    spread: _Floats = rows @ heat.astype(np.float32) @ columns.T
    return spread


def _along(length: int, start: float, end: float, cells: int) -> _Floats:
    """(length, cells): how much each pixel of a side takes of each cell."""
    middles = np.arange(length) + 0.5
    places = np.clip((middles - start) / (end - start) * cells - 0.5, 0, cells - 1)
    before = np.minimum(places.astype(np.intp), max(cells - 2, 0))
    share = places - before
    parts = np.zeros((length, cells), np.float32)
    pixels = np.arange(length)
    parts[pixels, before] = 1 - share
    parts[pixels, np.minimum(before + 1, cells - 1)] += share
    parts[(middles < start) | (middles > end)] = 0
    return parts
