"""Pictures as bytes in memory, for pages that hold them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from darknet_py.images.transform.checks import check_image

_QUALITY = 85


def encode_png(
    image: npt.NDArray[Any], longest: int | None = None, colors: int | None = None
) -> bytes:
    """An array of shape (h, w, 3), RGB, or (h, w, 1), grey, values 0..1, as a PNG.

    Its longer side is at most `longest` pixels, and it has at most `colors` colours, where said.
    """
    picture = _picture(image)
    if longest:
        picture.thumbnail((longest, longest), Image.Resampling.BOX)
    if colors:
        picture = picture.quantize(colors, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def encode_jpeg(image: npt.NDArray[Any], longest: int) -> bytes:
    """The same as a JPEG of quality 85, its longer side at most `longest` pixels: for photos."""
    picture = _picture(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _picture(image: npt.NDArray[Any]) -> Image.Image:
    check_image(image)
    pixels = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
