"""An open file decoded by Pillow, and what is wrong with the file where that fails."""

from __future__ import annotations

import logging
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

import numpy as np
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
from darknet_py.images.arrays import Array, Bytes, Floats
from darknet_py.ops.memory import SMALL, available_memory
from darknet_py.text import one_line

_STRIP = 1 << 18
"""Bytes of a picture that are copied at once: what stays in a core's cache."""

# Pillow gives the memory of each picture back to the system, which clears it for the next one: a
# fourth of the time that a large photo takes. It keeps up to 128 MB now, unless told otherwise.
_pillow: Any = vars(Image)["core"]
if _pillow.get_blocks_max() == 0:
    _pillow.set_blocks_max(8)

PILLOW_FAULTS = (
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for a truncated, damaged or hostile file, beside MemoryError and
DecompressionBombError: found by mutating files of every format, in Pillow 10.3 and 13."""


@contextmanager
def quiet() -> Iterator[None]:
    """Within the block, Pillow's warnings and log print nothing; the log still goes to handlers
    that the program has set up. Thread-safe."""
    if getattr(sys.flags, "context_aware_warnings", False):
        with ExitStack() as stack:
            _silence(stack)
            yield
        return
    _shared.enter()
    try:
        yield
    finally:
        _shared.leave()


class _Shared:
    """`warnings.catch_warnings` changes the whole process: the first thread to enter sets the
    filters, the last one to leave restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._stack = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                _silence(self._stack)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._stack.close()


_shared = _Shared()


def _silence(stack: ExitStack) -> None:
    stack.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
    # Where a library's log has no handler, Python prints its errors on stderr.
    logger, handler = logging.getLogger("PIL"), logging.NullHandler()
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)


# Alpha is dropped, not blended, as the C program's decoder does when asked for three channels.
_BYTE_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV")
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_WIDE_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")

_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0


def mode_to_rgb(picture: Image.Image) -> Array:
    """A loaded picture as RGB of shape (h, w, 3), C-contiguous: uint8, or float32 in 0..1.

    - 8-bit modes, palettes and 1-bit: uint8; grey fills all three channels. All others: float32.
    - Alpha, transparent palette entries and colour keys are dropped (stb, the C program's
      decoder, does so): a hidden pixel shows the colour that the file stores for it.
    - 16-bit grey: value / 65535; a TIFF's 12-bit grey: value / 4095. 16-bit colour arrives
      from Pillow as its upper 8 bits.
    - 32-bit integers must be in 0..65535 and are divided by 65535; floats must be in 0..1.

    Raises PictureError, without a path, for other modes or values. Pillow may warn that
    transparency is lost: call this inside `quiet`.
    """
    mode = picture.mode
    if mode in _PREMULTIPLIED:
        return mode_to_rgb(picture.convert(_PREMULTIPLIED[mode]))
    if lacks_palette(picture):
        raise PictureError("is damaged: its pixels are numbers of colours, and it has none")
    if mode in _BYTE_MODES:
        return np.array(picture if mode == "RGB" else picture.convert("RGB"))
    if mode in _WIDE_MODES and mode != "F":
        is_12_bit = _tiff_tag(picture, _TIFF_BITS_PER_SAMPLE, None) == (12,)
        return _grey_to_rgb(picture, 4095 if is_12_bit else 65535, "use 8 or 16 bits a channel")
    if mode == "F":
        return _grey_to_rgb(picture, 1, "scale it, or use 8 or 16 bits a channel")
    raise PictureError(f"pixels of the kind {mode} are not read: save it as an RGB picture")


def is_read(mode: str) -> bool:
    """Whether pictures of a mode are read, unless their values are out of range."""
    return mode in (*_BYTE_MODES, *_PREMULTIPLIED, *_WIDE_MODES)


def has_bytes(mode: str) -> bool:
    """Whether pictures of a mode are read, whatever their values."""
    return mode in _BYTE_MODES


def lacks_palette(picture: Image.Image) -> bool:
    """Whether the pixels of a loaded picture index a palette that the file does not have."""
    return picture.mode in ("P", "PA") and picture.palette is None


def _bytes_to_rgb(picture: Image.Image) -> Bytes:
    if lacks_palette(picture):
        raise PictureError("is damaged: its pixels are numbers of colours, and it has none")
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    w, h = rgb.size
    rows = max(_STRIP // (3 * max(w, 1)), 1)
    if rows >= h:
        return np.array(rgb)
    # np.array alone would copy a large picture three times, through memory that is new each time.
    pixels = np.empty((h, w, 3), np.uint8)
    for top in range(0, h, rows):
        pixels[top : top + rows] = np.asarray(rgb.crop((0, top, w, min(top + rows, h))))
    return pixels


def _white(picture: Image.Image) -> int:
    return 4095 if _tiff_tag(picture, _TIFF_BITS_PER_SAMPLE, None) == (12,) else 65535


def _grey_to_rgb(picture: Image.Image, white: int, advice: str) -> Floats:
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


_EXIF_ORIENTATION = 0x0112


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation of a loaded picture, 1..8; 1 (upright) where none can be read. Damaged
    EXIF may make Pillow warn: call this inside `quiet`."""
    try:
        value = picture.getexif().get(_EXIF_ORIENTATION)
    except PILLOW_FAULTS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def orient(image: Array, turn: int) -> Array:
    """The upright picture of a stored (h, w, c) array of EXIF orientation `turn`, C-contiguous; 5
    to 8 exchange width and height. Source: EXIF 2.3, tag 274; the C program ignores it."""
    if turn in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        image = image[:, ::-1]
    if turn in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


MAX_PIXELS = 2**27
"""Width times height: a larger picture (beyond 1.6 GB as float32 RGB) is refused unread."""
_PIXEL = 20
"""Bytes that a pixel takes on the way to float32, at most, about."""

# Importing a reader registers it. Naming the formats excludes Pillow's other readers, among them
# one that runs Ghostscript, for files of unknown origin.
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


def decode(file: IO[bytes]) -> Array:
    """The upright picture in an open file: RGB (h, w, 3), C-contiguous; see `mode_to_rgb`.

    Not given by name, for which Pillow may mmap the file: one that shrinks meanwhile would kill the
    process. Raises PictureError, without a path, for all but a picture within MAX_PIXELS.
    """
    with as_picture_errors():
        try:
            with Image.open(file, formats=FORMATS) as picture:
                return _rgb(picture)
        except UnidentifiedImageError as error:
            raise PictureError(_what_instead(file)) from error


def size_of(file: IO[bytes]) -> tuple[int, int]:
    """Width and height of the picture in an open file, as its header says. Raises PictureError,
    without a path."""
    with as_picture_errors():
        try:
            with Image.open(file, formats=FORMATS) as picture:
                return picture.size
        except UnidentifiedImageError as error:
            raise PictureError(_what_instead(file)) from error


def upright_rgb(picture: Image.Image) -> Array:
    """The same of a picture that Pillow has opened or made."""
    with as_picture_errors():
        return _rgb(picture)


@contextmanager
def as_picture_errors() -> Iterator[None]:
    """Within the block, Pillow's errors and MemoryError become a PictureError, without a path."""
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


def _rgb(picture: Image.Image) -> Array:
    check_size(picture.width, picture.height)
    picture.load()
    turn = orientation(picture)
    return orient(mode_to_rgb(picture), turn)


def check_size(w: int, h: int) -> None:
    """Raises PictureError, without a path, for more than MAX_PIXELS, or than there is memory for:
    before it is allocated, as a system may overcommit, and a header may claim any size."""
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
