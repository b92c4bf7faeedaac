"""An open file decoded by Pillow, and what is wrong with the file where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from darknet_py.errors import PictureError
from darknet_py.images.io.faults import PILLOW_FAULTS
from darknet_py.images.io.modes import mode_to_rgb
from darknet_py.images.io.orientation import orient, orientation
from darknet_py.images.io.quiet import quiet
from darknet_py.ops.memory import SMALL, available_memory
from darknet_py.text import one_line

MAX_PIXELS = 2**27
"""Width times height: a larger picture (beyond 1.6 GB as float32 RGB) is refused unread."""
_PIXEL = 20
"""Bytes that a pixel takes on the way to float32, at most, about."""

# Importing a reader registers it. Naming the formats keeps Pillow's other readers, among them
# one that runs Ghostscript, away from files of unknown origin.
_READERS = (
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    GifImagePlugin.GifImageFile,
    BmpImagePlugin.BmpImageFile,
    TiffImagePlugin.TiffImageFile,
    WebPImagePlugin.WebPImageFile,
    PpmImagePlugin.PpmImageFile,
    TgaImagePlugin.TgaImageFile,
)
FORMATS = tuple(str(reader.format) for reader in _READERS)
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


def decode(file: IO[bytes]) -> npt.NDArray[Any]:
    """The upright picture in an open file: RGB (h, w, 3), C-contiguous; see `mode_to_rgb`.

    A file, not a name: given a name, Pillow may map the file into memory, and one that shrinks
    meanwhile would then kill the process.

    Raises PictureError, without a path, for anything that is not a picture within MAX_PIXELS.
    """
    with as_picture_errors():
        try:
            with Image.open(file, formats=FORMATS) as picture:
                return _rgb(picture)
        except UnidentifiedImageError as error:
            raise PictureError(_what_instead(file)) from error


def upright_rgb(picture: Image.Image) -> npt.NDArray[Any]:
    """The same of a picture that Pillow has opened or made."""
    with as_picture_errors():
        return _rgb(picture)


@contextmanager
def as_picture_errors() -> Iterator[None]:
    """Within the block, what a hostile file brings out of Pillow, or a lack of memory, becomes a
    PictureError, without a path."""
    with quiet():
        try:
            yield
        except Image.DecompressionBombError as error:
            raise PictureError(_too_large("the picture")) from error
        except MemoryError as error:
            raise PictureError("needs more memory than there is: make it smaller") from error
        except PILLOW_FAULTS as error:
            reason = one_line(str(error))[:80] or type(error).__name__
            raise PictureError(_damage(reason)) from error


def _rgb(picture: Image.Image) -> npt.NDArray[Any]:
    check_size(picture.width, picture.height)
    picture.load()
    turn = orientation(picture)
    return orient(mode_to_rgb(picture), turn)


def check_size(w: int, h: int) -> None:
    """Raises PictureError, without a path, for more than MAX_PIXELS, or than there is memory for.

    Before it is taken, as a system may grant memory that it has not: a few bytes of a file may say
    that it has any number of pixels.
    """
    if w * h > MAX_PIXELS:
        raise PictureError(_too_large(f"{w}x{h}"))
    needed = w * h * _PIXEL
    if needed > SMALL and needed > (free := available_memory()):
        need = f"{w}x{h} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are"
        raise PictureError(f"{need} free: make it smaller")


def _too_large(what: str) -> str:
    return f"{what} has more than {MAX_PIXELS} pixels: make it smaller"


def _what_instead(file: IO[bytes]) -> str:
    file.seek(0)
    start = file.read(512)
    text = start.lstrip().lower()
    if not start:
        return "is empty: copy or download it again"
    if text.startswith((b"<!doctype html", b"<html")):
        return "is an HTML page, not a picture: download the picture itself"
    if text.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not a picture: run `git lfs pull`"
    if start.startswith(_STARTS):
        return _damage("its header")
    known = ", ".join(FORMATS)
    return f"is not a picture of a kind that is read ({known}): save it as PNG or JPEG"


def _damage(reason: str) -> str:
    return f"is damaged or cut short ({reason}): copy or save it again"
