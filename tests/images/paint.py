"""Finding colours in drawn pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.images.pictures import Floats


def where(picture: Floats, color: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which pixels (h, w) have just that colour, bytes RGB."""
    same: npt.NDArray[np.bool_] = (np.rint(picture * 255) == np.array(color)).all(axis=2)
    return same


def check_picture(picture: Floats, h: int, w: int) -> None:
    """What every drawing must be."""
    assert picture.shape == (h, w, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1


def edges_are_white(picture: Floats) -> bool:
    """Whether nothing was cut off by the picture's border."""
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    return all(bool((edge == 1).all()) for edge in edges)
