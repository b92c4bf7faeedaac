"""A decoded Pillow picture of any mode as RGB: bytes, or floats where they would lose something."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from darknet_py.errors import PictureError

# Alpha is dropped, not blended, as the C program's decoder does when asked for three channels.
_BYTE_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_WIDE_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")

_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0


def mode_to_rgb(picture: Image.Image) -> npt.NDArray[Any]:
    """A loaded picture as RGB of shape (h, w, 3), C-contiguous: uint8, or float32 in 0..1.

    - 8-bit modes, palettes and 1-bit: uint8; grey fills all three channels. All others: float32.
    - Alpha, transparent palette entries and colour keys are dropped (stb, the C program's
      decoder, does so): a hidden pixel shows the colour that the file stores for it.
    - 16-bit grey: value / 65535; a TIFF's 12-bit grey: value / 4095. 16-bit colour arrives
      from Pillow as its upper 8 bits.
    - 32-bit integers must be in 0..65535 and are divided by 65535; floats must be in 0..1.
      Beyond that nobody can tell what white is.

    Raises PictureError, without a path, for a mode or for values that have no such reading.
    Pillow may warn that transparency is lost: call this inside `quiet`.
    """
    mode = picture.mode
    if mode in _PREMULTIPLIED:
        return mode_to_rgb(picture.convert(_PREMULTIPLIED[mode]))
    if mode in _BYTE_MODES:
        return _bytes_to_rgb(picture)
    if mode in _WIDE_MODES and mode != "F":
        return _grey_to_rgb(picture, _white(picture), "use 8 or 16 bits a channel")
    if mode == "F":
        return _grey_to_rgb(picture, 1, "scale it, or use 8 or 16 bits a channel")
    raise PictureError(f"pixels of the kind {mode} are not read: save it as an RGB picture")


def is_read(mode: str) -> bool:
    """Whether pictures of a mode are read, unless their values have no reading."""
    return mode in (*_BYTE_MODES, *_PREMULTIPLIED, *_WIDE_MODES)


def has_bytes(mode: str) -> bool:
    """Whether all values that a picture of a mode can have are read."""
    return mode in _BYTE_MODES


def lacks_palette(picture: Image.Image) -> bool:
    """Whether the pixels of a loaded picture are numbers of colours that the file does not have."""
    return picture.mode in ("P", "PA") and picture.palette is None


def _bytes_to_rgb(picture: Image.Image) -> npt.NDArray[np.uint8]:
    if lacks_palette(picture):
        raise PictureError("is damaged: its pixels are numbers of colours, and it has none")
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _white(picture: Image.Image) -> int:
    return 4095 if _tiff_tag(picture, _TIFF_BITS_PER_SAMPLE, None) == (12,) else 65535


def _grey_to_rgb(picture: Image.Image, white: int, advice: str) -> npt.NDArray[np.float32]:
    values = np.asarray(picture)
    low, high = values.min(), values.max()
    # A NaN fails any comparison, so this asks what must hold.
    if not (low >= 0 and high <= white):
        raise PictureError(f"values {low:g} to {high:g} are not in 0 to {white}: {advice}")
    grey = np.divide(values, white, dtype=np.float32)
    if _tiff_tag(picture, _TIFF_PHOTOMETRIC, 1) == _TIFF_WHITE_IS_ZERO:
        grey = 1 - grey  # Pillow turns 8-bit values over, but not wider ones.
    return np.repeat(grey[:, :, None], 3, axis=2)


def _tiff_tag(picture: Image.Image, tag: int, default: Any) -> Any:
    return getattr(picture, "tag_v2", {}).get(tag, default)
