"""Pictures one after the other in one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image, WebPImagePlugin

from darknet_py.atomic import atomic_file
from darknet_py.errors import PictureError

_LONGEST = {GifImagePlugin.GifImageFile.format: 65535, WebPImagePlugin.WebPImageFile.format: 16383}
_WEBP_QUALITY = 90


def check_animation(kind: str, w: int, h: int) -> None:
    """PictureError, without a path, where frames of `w` x `h` pixels are too large for "GIF" or
    "WEBP"."""
    longest = _LONGEST[kind]
    if max(w, h) > longest:
        raise PictureError(f"{w}x{h}: a side of a {kind} has at most {longest} pixels")


def save_animation(
    frames: Sequence[npt.NDArray[np.uint8]],
    path: str | os.PathLike[str],
    kind: str,
    milliseconds: int,
) -> None:
    """Writes frames as an animation that begins again at its end.

    `frames`: at least one, each of the same shape, (h, w, 3) RGB or (h, w, 1) grey. `kind`: "GIF"
    or "WEBP"; of a GIF each frame has 256 colours of its own. `milliseconds`: that a frame is
    seen. The file appears whole or not at all. Raises PictureError, one line that begins with
    the path, for frames that are too large or a file that cannot be written.
    """
    # a GIF counts hundredths, and Pillow would cut off what is over
    duration = round(milliseconds / 10) * 10 if kind == "GIF" else milliseconds
    options: dict[str, Any] = {"save_all": True, "duration": duration, "loop": 0}
    if kind == "WEBP":
        options["quality"] = _WEBP_QUALITY
    first, *others = (
        Image.fromarray(frame.squeeze(2) if frame.shape[2] == 1 else frame) for frame in frames
    )
    try:
        check_animation(kind, first.width, first.height)
        with atomic_file(os.path.realpath(path)) as file:
            first.save(file, kind, append_images=others, **options)
    except PictureError as error:
        raise PictureError(f"{path}: cannot be written: {error}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError(f"{path}: cannot be written: {reason}") from error
