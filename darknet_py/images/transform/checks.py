"""What the picture functions ask of their arguments; a caller's mistake is a ValueError."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def check_image(image: npt.NDArray[Any]) -> None:
    """ValueError unless the array has shape (h, w, c) with no side of 0."""
    if image.ndim != 3 or image.size == 0:
        raise ValueError(f"an array of shape {image.shape} is not a picture (h, w, c)")


def check_size(w: int, h: int) -> None:
    """ValueError unless a picture of `w` x `h` pixels can be."""
    if w < 1 or h < 1:
        raise ValueError(f"a picture of {w}x{h} pixels cannot be")
