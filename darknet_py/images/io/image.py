"""Pictures from files and back: float32 RGB arrays of shape (h, w, 3), values 0..1."""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, PngImagePlugin

from darknet_py.atomic import atomic_file
from darknet_py.errors import PictureError
from darknet_py.images.arrays import Array, Bytes, FileName, Floats
from darknet_py.images.io.decode import as_picture_errors, decode, size_of

MAX_WORDS = 1 << 17
"""Bytes of all texts of a PNG together: no recipe has more, and files are not trusted."""
_MAX_CHUNKS = 1 << 18
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_SUFFIXES = f"end the name in {', '.join(_KINDS)}"
_JPEG_QUALITY = 95  # At the C program's 80, a dream's fine texture is lost.
_JPEG_LONGEST = 65500  # libjpeg's limit for a side, in pixels.
_JPEG_COMMENT = 2**15  # Bytes; beyond half of what the format holds, older Pillows fail.


def load_image(path: FileName) -> Floats:
    """The picture in a JPEG, PNG, GIF, BMP, TIFF, WebP, PPM or TGA file; of an animation, the first
    frame.

    Returns float32 RGB of shape (h, w, 3), values 0..1, C-contiguous: byte / 255 for an 8-bit
    file, as the C program's load_image_color reads it. Unlike there, the camera's (EXIF)
    orientation is applied and 16-bit grey keeps its depth; see `mode_to_rgb`. Raises PictureError,
    one line that begins with the path, for whatever is wrong with the file.
    """
    with about(path), as_picture_errors(), open_file(path) as file:
        return to_float(decode(file))


def load_pixels(path: FileName) -> Array:
    """The same in the file's depth: uint8 for 8 bits a channel, else float32."""
    with about(path), open_file(path) as file:
        return decode(file)


def picture_size(path: FileName) -> tuple[int, int]:
    """Width and height, as a file's header says. Raises PictureError."""
    with about(path), open_file(path) as file:
        return size_of(file)


def load_info(path: FileName) -> dict[str, str]:
    """The text chunks of a PNG by keyword, in order: the `info` of `save_image`, and others. The
    picture is not decoded; compressed texts, which `save_image` does not write, are skipped: a few
    bytes could expand to any size.

    Raises PictureError, one line that begins with the path, for what is no PNG, is truncated or
    damaged, has more text than MAX_WORDS, or two texts under one keyword.
    """
    with about(path), open_file(path) as file:
        return _read_words(file)


def _read_words(file: IO[bytes]) -> dict[str, str]:
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        raise PictureError("is no PNG, which alone keeps words: name one")
    end = os.fstat(file.fileno()).st_size
    words: dict[str, str] = {}
    size = 0
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise _damaged("its end is missing")
        length, kind = struct.unpack(">I4s", head)
        if file.tell() + length + 4 > end:
            raise _damaged("a part is not whole")
        if kind == b"IEND":
            return words
        if kind not in (b"tEXt", b"iTXt"):
            file.seek(length + 4, os.SEEK_CUR)
            continue
        size += length
        if size > MAX_WORDS:
            raise PictureError(f"keeps more than {MAX_WORDS >> 10} KiB of words: not a dream's")
        content, check = file.read(length), file.read(4)
        if check != struct.pack(">I", zlib.crc32(kind + content)):
            raise _damaged("its words")
        keyword, _, text = content.partition(b"\0")
        encoding = "latin-1"
        if kind == b"iTXt":
            if text[:1] != b"\0":
                continue  # compressed
            # behind two bytes, a language and a translation of the keyword
            text, encoding = text[2:].split(b"\0", 2)[-1], "utf-8"
        word = keyword.decode("latin-1")
        if word in words:
            raise PictureError("keeps two texts under one keyword: nobody can tell which is meant")
        words[word] = text.decode(encoding, "replace")
    raise PictureError(f"has more than {_MAX_CHUNKS:,} parts: save it again")


def _damaged(what: str) -> PictureError:
    return PictureError(f"is damaged or cut short ({what}): copy or save it again")


@contextmanager
def about(path: FileName) -> Iterator[None]:
    """Within the block, a PictureError gets the path before its message; an OSError becomes one."""
    try:
        yield
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror}") from error


def open_file(path: FileName) -> IO[bytes]:
    """A regular file opened for reading. Raises PictureError, without the path, for others."""
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISDIR(kind):
            raise PictureError("is a folder, not a picture: name a file in it")
        if not stat.S_ISREG(kind):  # Opening a pipe would block.
            raise PictureError("is not a regular file: save it as one first")
        return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureError("no such file: check the name") from error
    except PermissionError as error:
        raise PictureError("may not be read: check its permissions") from error
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # A null byte in the name.
        raise PictureError("is not a name that a file can have") from error


def save_image(image: Array, path: FileName, **info: object) -> None:
    """Writes an array as the PNG or JPEG (of quality 95) that the path's suffix names, whole or
    not at all.

    `image`: shape (h, w, 3), RGB, or (h, w, 1), grey; values 0..1, clipped, then rounded to 8 bits
    (the C program's save_image truncates and wraps around). `info`: metadata: text chunks of a PNG,
    the comment of a JPEG. Raises PictureError, one line that begins with the path, for another
    suffix, NaN, or a file that cannot be written.
    """
    with writing(path):
        pixels = to_pixels(image)
        kind = _KINDS.get(Path(path).suffix.lower())
        if kind is None:
            raise PictureError(_SUFFIXES)
        if kind == "JPEG" and max(pixels.shape) > _JPEG_LONGEST:
            raise PictureError(f"a JPEG's side has at most {_JPEG_LONGEST} pixels: use .png")
        if "\0" in os.fspath(path):
            raise PictureError("is not a name that a file can have")
        options = _png_options(info) if kind == "PNG" else _jpeg_options(info)
        with atomic_file(path) as file:
            to_pillow(pixels).save(file, kind, **options)


@contextmanager
def writing(path: FileName) -> Iterator[None]:
    """Within the block, an error becomes a PictureError that says the file cannot be written."""
    try:
        yield
    except PictureError as error:
        raise PictureError(f"{path}: cannot be written: {error}") from error
    except OSError as error:
        raise PictureError(f"{path}: cannot be written: {error.strerror or error}") from error


def check_name(path: FileName) -> None:
    """PictureError, one line that begins with the path, for a name that `save_image` refuses."""
    if Path(path).suffix.lower() not in _KINDS:
        raise PictureError(f"{path}: cannot be written: {_SUFFIXES}")


def to_pixels(image: Array) -> Bytes:
    """The pixels that `save_image` writes: of the same shape, 0..255. Raises ValueError for another
    shape, PictureError, without a path, for NaN."""
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError(f"an array of shape {image.shape} is not (h, w, 3) or (h, w, 1)")
    if np.isnan(image).any():  # A dream that diverged, say.
        raise PictureError("some of its values are not numbers")
    return to_bytes(image)


def to_bytes(image: Array) -> Bytes:
    """Values 0..1 as bytes 0..255, rounded; clipped to that range, NaN 0."""
    return np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255).astype(np.uint8)  # type: ignore[no-any-return]


def to_float(pixels: Array) -> Floats:
    """Bytes as float32 in 0..1; floats as they are."""
    if pixels.dtype != np.uint8:
        return pixels
    image: Floats = np.divide(pixels, 255, dtype=np.float32)
    return image


def to_pillow(pixels: Bytes) -> Image.Image:
    """Bytes of shape (h, w, 3), RGB, or (h, w, 1), grey, as Pillow's picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _png_options(info: dict[str, object]) -> dict[str, Any]:
    chunks = PngImagePlugin.PngInfo()
    for key, value in info.items():
        chunks.add_text(key, str(value))
    return {"pnginfo": chunks}


def _jpeg_options(info: dict[str, object]) -> dict[str, Any]:
    words = "\n".join(f"{key}: {value}" for key, value in info.items())
    comment = words.encode("utf-8", "surrogateescape")[:_JPEG_COMMENT]
    return {"quality": _JPEG_QUALITY, "comment": comment}
