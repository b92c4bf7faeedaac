"""Pictures encoded in memory, for pages that embed them, and as animations."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import GifImagePlugin, Image, WebPImagePlugin

from darknet_py.atomic import atomic_file
from darknet_py.errors import PictureError
from darknet_py.images.arrays import Array, Bytes, FileName
from darknet_py.images.io.image import to_bytes, to_pillow, writing
from darknet_py.images.transform.resize import check_image

_QUALITY, _WEBP_QUALITY = 85, 90
_LONGEST = {GifImagePlugin.GifImageFile.format: 65535, WebPImagePlugin.WebPImageFile.format: 16383}


def encode_png(image: Array, longest: int | None = None, colors: int | None = None) -> bytes:
    """An array of shape (h, w, 3), RGB, or (h, w, 1), grey, values 0..1, as a PNG of at most
    `longest` pixels a side and `colors` colours, where given."""
    picture = _picture(image)
    if longest:
        picture.thumbnail((longest, longest), Image.Resampling.BOX)
    if colors:
        picture = picture.quantize(colors, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def encode_jpeg(image: Array, longest: int) -> bytes:
    """The same as a JPEG of quality 85, its longer side at most `longest` pixels: for photos."""
    picture = _picture(image)
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _picture(image: Array) -> Image.Image:
    check_image(image)
    return to_pillow(to_bytes(image))


def check_animation(kind: str, w: int, h: int) -> None:
    """PictureError, without a path, where frames of `w` x `h` pixels are too large for "GIF" or
    "WEBP"."""
    longest = _LONGEST[kind]
    if max(w, h) > longest:
        raise PictureError(f"{w}x{h}: a side of a {kind} has at most {longest} pixels")


def save_animation(frames: Sequence[Bytes], path: FileName, kind: str, milliseconds: int) -> None:
    """Writes frames as an endless animation, whole or not at all.

    `frames`: at least one, all of one shape, (h, w, 3) RGB or (h, w, 1) grey. `kind`: "GIF" (each
    frame has 256 colours of its own) or "WEBP". `milliseconds`: of each frame. Raises PictureError,
    one line that begins with the path, for frames that are too large or a file that cannot be
    written.
    """
    # a GIF counts hundredths, and Pillow would round down
    duration = round(milliseconds / 10) * 10 if kind == "GIF" else milliseconds
    options: dict[str, Any] = {"save_all": True, "duration": duration, "loop": 0}
    if kind == "WEBP":
        options["quality"] = _WEBP_QUALITY
    first, *others = map(to_pillow, frames)
    with writing(path):
        check_animation(kind, first.width, first.height)
        with atomic_file(path) as file:
            first.save(file, kind, append_images=others, **options)
