"""Pictures given by Python programs: file names, Pillow images, arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set

import numpy as np
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images.arrays import Array, FileName, Floats
from darknet_py.images.io.decode import upright_rgb
from darknet_py.images.io.image import about, load_image, to_float
from darknet_py.ops.cpu.runtime.threads import thread_count

Given = FileName | Image.Image | Array
"""One picture. A name; or a Pillow picture, of any mode; or RGB (h, w, 3), grey (h, w) or
(h, w, 1), or with alpha, which is dropped, (h, w, 4): uint8, or floats from 0 to 1."""

_ROUNDING = 1e-3
"""How far floats may exceed 0..1: filters overshoot."""


def decoding_threads() -> int:
    """Threads that may decode at once: as many as compute."""
    return thread_count()


def each_picture(given: Given | Iterable[Given]) -> Iterator[Given]:
    """The pictures in what may be one, several, or an array (n, h, w, c) of several. Raises
    PictureError for anything else."""
    if isinstance(given, np.ndarray) and given.ndim == 4:
        yield from given
    elif isinstance(given, str | os.PathLike | Image.Image | np.ndarray):
        yield given
    else:
        several: object = given
        # a set has no order that answers could have
        if isinstance(several, bytes | Mapping | Set) or not isinstance(several, Iterable):
            raise _no_picture(several)
        yield from several


def name_of(picture: Given, number: int) -> str:
    """What to call a picture: its file's name, or "picture 3", the third."""
    if isinstance(picture, Image.Image):
        return os.fsdecode(getattr(picture, "filename", "") or f"picture {number}")
    if isinstance(picture, np.ndarray):
        return f"picture {number}"
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    raise _no_picture(picture)


def _no_picture(given: object) -> PictureError:
    return PictureError(
        f"a {type(given).__name__} is no picture: expected a name, a Pillow picture, an array "
        "(h, w, 3), or a list of these"
    )


def to_image(picture: Given, name: str) -> Floats:
    """The picture as by `load_image`: float32 RGB (h, w, 3), values 0..1, upright. Raises
    PictureError, which begins with the name, for what cannot be read, and for an array of another
    shape, type or range."""
    if isinstance(picture, str | os.PathLike):
        return load_image(picture)
    if isinstance(picture, np.ma.MaskedArray):
        raise PictureError(f"{name}: is a masked array: expected all its pixels")
    with about(name):
        if isinstance(picture, Image.Image):
            _check_range(picture)
            return to_float(upright_rgb(picture))
        return _from_array(np.asarray(picture))


def _check_range(picture: Image.Image) -> None:
    """Of 32 bits, as Pillow makes of an array of int32, nobody says whether 255 is white or almost
    black; a file says so by its format."""
    if picture.mode == "I" and picture.format is None and np.asarray(picture).max() <= 255:
        raise PictureError(
            "a picture of mode I without a value above 255: make it of uint8 (mode L), as white "
            "is 65535 here"
        )


def _from_array(array: Array) -> Floats:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.size == 0 or array.shape[2] not in (1, 3, 4):
        order = ": transpose(1, 2, 0)" if array.ndim == 3 and array.shape[0] in (1, 3) else ""
        raise PictureError(
            f"an array of shape {array.shape} is no picture: expected (h, w, 3) or (h, w){order}"
        )
    if array.dtype != np.uint8:
        _check_floats(array)
    rgb = np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array[:, :, :3]
    return np.ascontiguousarray(to_float(rgb), np.float32)


def _check_floats(array: Array) -> None:
    if array.dtype.kind != "f":
        raise PictureError(f"an array of {array.dtype}: expected uint8, or floats from 0 to 1")
    low, high = float(array.min()), float(array.max())
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # a NaN fails any comparison
        raise PictureError(
            f"an array of floats from {low:g} to {high:g}: expected 0 to 1 (or uint8, 0 to 255)"
        )
