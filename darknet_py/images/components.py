"""The colours in which the pictures of a set differ most."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.image import to_float
from darknet_py.images.seeds import Purpose, generator
from darknet_py.images.store import Store

_PICTURES = 256
_PIXELS = 1024


def principal_components(store: Store, count: int, seed: int) -> npt.NDArray[np.float64]:
    """The principal components of the pixels' RGB, each as long as its standard deviation.

    Returns shape (3, 3), one component a column. Taken from up to 256 of the `count` pictures in
    the store, drawn by `seed`, and about 1024 pixels of each, evenly spread. Raises PictureError
    for a picture among them that cannot be read.
    """
    drawn = generator(Purpose.COMPONENTS, seed).permutation(count)[:_PICTURES]
    pixels = np.concatenate([_some_pixels(store.get(index)) for index in drawn.tolist()])
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
