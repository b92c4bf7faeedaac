"""The colours in which the pictures of a set differ most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.errors import DarknetError
from darknet_py.images.io.image import to_float
from darknet_py.images.transform.seeds import Purpose, generator

_PICTURES = 256
_PIXELS = 1024


def principal_components(
    get: Callable[[int], npt.NDArray[Any] | None], count: int, seed: int
) -> npt.NDArray[np.float64]:
    """The principal components of the pixels' RGB, each as long as its standard deviation.

    Returns shape (3, 3), one component a column. Taken from up to 256 of the `count` pictures that
    `get` gives by number, drawn by `seed`, and about 1024 pixels of each, evenly spread. Those that
    cannot be read, for which it gives None, are left out. Raises DarknetError where all are.
    """
    drawn = generator(Purpose.COMPONENTS, seed).permutation(count)[:_PICTURES]
    found = (get(index) for index in drawn.tolist())
    some = [_some_pixels(picture) for picture in found if picture is not None]
    if not some:
        raise DarknetError("none of the pictures can be read (any more)")
    pixels = np.concatenate(some)
    variances, directions = np.linalg.eigh(np.cov(pixels, rowvar=False, bias=True))
    # a direction's sign is anybody's choice: here its largest part is positive
    largest = np.take_along_axis(directions, abs(directions).argmax(axis=0)[None], axis=0)
    components: npt.NDArray[np.float64] = (
        directions * np.sign(largest) * np.sqrt(np.maximum(variances, 0))
    )
    return components


def _some_pixels(picture: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    pixels = picture.reshape(-1, 3)
    return to_float(pixels[:: max(len(pixels) // _PIXELS, 1)]).astype(np.float64)
