"""Pictures as bytes in memory, for pages that hold them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from darknet_py.images.checks import check_image

_QUALITY = 85


def encode_png(image: npt.NDArray[Any], colors: int | None = None) -> bytes:
    """An array (h, w, 3) or (h, w, 1), values 0..1, as a PNG; of at most `colors` colours."""
    picture = _picture(image)
    if colors:
        picture = picture.quantize(colors, dither=Image.Dither.NONE)
    return _saved(picture, "PNG", optimize=True)


def encode_jpeg(image: npt.NDArray[Any]) -> bytes:
    """The same as a JPEG of quality 85: for photos."""
    return _saved(_picture(image), "JPEG", quality=_QUALITY)


def _picture(image: npt.NDArray[Any]) -> Image.Image:
    check_image(image)
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
