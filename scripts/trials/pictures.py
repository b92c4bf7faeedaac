"""Damaged and hostile pictures: refused in a line, or the same picture whichever way it is read."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from darknet_py.errors import PictureError
from darknet_py.images import (
    MAX_PIXELS,
    SUFFIXES,
    Dataset,
    Loader,
    fit_image,
    load_image,
    load_info,
    load_with_fitted,
    to_image,
)
from darknet_py.images.dataset.readable import _fault
from darknet_py.images.io.image import load_pixels, to_float
from scripts.trials.mutations import check_message, mangle_bytes
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT, SLICE = "pictures", "fuzz", 1, 60
LIMIT = 300
MEMORY = 3 << 30
"""A picture of MAX_PIXELS, which is taken, is 1.6 GB as float32, and 0.5 GB as Pillow has it."""

_files: list[tuple[bytes, np.ndarray | None]] = []
"""Whole pictures, and what is in those that lose nothing: uint8 RGB, upright."""
_by_kind: dict[bytes, list[bytes]] = {}
_ORIENTATION = 0x0112


def prepare() -> None:
    rng = np.random.default_rng(1)
    for w, h in ((1, 1), (7, 5), (16, 16), (33, 20)):
        pixels = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels)
        _lossless(picture, pixels)
        _turned(pixels)
        _others(picture)
    for data, _ in _files:
        _by_kind.setdefault(data[:2], []).append(data)


def trial(random: Random, folder: Path) -> str:
    data, expected = random.choice(_files)
    kind = random.random()
    if kind > 0.05:
        data, expected = _damaged(random, data), None
    path = folder / f"a{random.choice(SUFFIXES)}"
    path.write_bytes(data)
    image = _load(path)
    if expected is not None and (image is None or not np.array_equal(image, to_float(expected))):
        raise Failed("a whole picture is refused, or is another one")
    _check_scan(path, image)
    if random.random() < 0.3:
        _check_info(path)
    if image is None:
        return "refused"
    _check_ways(random, path, image)
    return "whole" if kind <= 0.05 else "decoded"


# Ways of reading


def _load(path: Path) -> np.ndarray | None:
    try:
        image = load_image(path)
    except PictureError as error:
        check_message(error, path)
        return None
    is_rgb = image.ndim == 3 and image.shape[2] == 3 and image.size > 0
    if not is_rgb or image.dtype != np.float32 or not image.flags.c_contiguous:
        raise Failed(f"a picture of {image.dtype} {image.shape}, {image.strides}")
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise Failed(f"a picture of {image.shape}")
    if not (image.min() >= 0 and image.max() <= 1):
        raise Failed(f"values {image.min()} to {image.max()}")
    return image


def _check_scan(path: Path, image: np.ndarray | None) -> None:
    """What a look at the data refuses is what training could not read."""
    refused = _fault(path, decode=True)  # as `scan`, without its threads
    if refused is not None:
        check_message(refused, path)
    if (refused is None) != (image is not None):
        raise Failed(f"a look at the data says {refused}, and loading it says otherwise")
    refused = _fault(path, decode=False)
    if refused is not None and image is not None:
        raise Failed(f"a look at the header says {refused}, and the picture can be read")


def _check_info(path: Path) -> None:
    try:
        info = load_info(path)
    except PictureError as error:
        check_message(error, path)
        return
    if not all(isinstance(text, str) for each in info.items() for text in each):
        raise Failed(f"words that are none: {info!r}")


def _check_ways(random: Random, path: Path, image: np.ndarray) -> None:
    if image.size > 3_000_000:  # a declared size that the file does not deny: much to compare
        return
    if not np.array_equal(to_float(load_pixels(path)), image):
        raise Failed("another picture the second time")
    if not np.array_equal(_from_pillow(path), image):
        raise Failed("another picture as one of Pillow's")
    w, h = random.choice([(8, 8), (5, 9)])
    for fit in ("min", "letterbox", "crop"):
        try:
            _, fitted = load_with_fitted(path, w, h, fit)
        except PictureError as error:
            check_message(error, path)
            if fit != "min":
                raise
            continue
        if not np.array_equal(fitted, fit_image(image, w, h, fit)):
            raise Failed(f"another picture for classify, with --fit {fit}")
    if random.random() < 0.3:
        _check_loader(path, image, w, h)


def _check_loader(path: Path, image: np.ndarray, w: int, h: int) -> None:
    dataset = Dataset(("a", "b"), [path], [(1,)])
    x, truth = Loader(dataset, w, h, 3, 1, None, workers=1).batch(0)
    expected = fit_image(image, w, h, "crop").transpose(2, 0, 1)
    if not np.array_equal(x[0], expected) or truth.tolist() != [[0, 1]]:
        raise Failed("another picture for validation")


def _from_pillow(path: Path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # not by its name: Pillow would map the file, and take damaged ones another way then
        with path.open("rb") as file, Image.open(file) as picture:
            return to_image(picture, "a picture")


# Whole pictures


def _add(picture: Image.Image, kind: str, pixels: np.ndarray | None = None, **options: Any) -> None:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    _files.append((file.getvalue(), pixels))


def _lossless(picture: Image.Image, pixels: np.ndarray) -> None:
    for kind in ("PNG", "BMP", "TIFF", "PPM", "TGA"):
        _add(picture, kind, pixels)
    _add(picture, "WEBP", pixels, lossless=True)
    _add(picture, "TGA", pixels, compression="tga_rle")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        _add(picture, "TIFF", pixels, compression=compression)
    words = PngImagePlugin.PngInfo()
    words.add_text("darknet", "a word")
    words.add_itxt("Zeichen", "ü" * 50, zip=True)
    _add(picture, "PNG", pixels, pnginfo=words, icc_profile=_profile(), dpi=(72, 72))
    _add(picture, "PNG", pixels, transparency=tuple(pixels[0, 0].tolist()))
    alpha = picture.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(picture.size))
    for kind in ("PNG", "TIFF", "TGA", "BMP"):
        _add(alpha, kind, pixels)
    grey = picture.convert("L")
    of_grey = np.asarray(grey)[:, :, None].repeat(3, axis=2)
    for kind in ("PNG", "GIF", "BMP", "TIFF", "PPM", "TGA"):
        _add(grey, kind, of_grey)
    black = picture.convert("1")
    of_black = np.asarray(black.convert("L"))[:, :, None].repeat(3, axis=2)
    for kind in ("PNG", "BMP", "TIFF", "PPM"):
        _add(black, kind, of_black)
    _add(black, "TIFF", of_black, compression="group4")
    palette = picture.quantize(16)
    of_palette = np.asarray(palette.convert("RGB"))
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        _add(palette, kind, of_palette)
    _add(palette, "PNG", of_palette, transparency=bytes(range(0, 160, 10)))
    _add(palette, "GIF", transparency=3, save_all=True, append_images=[palette.rotate(90)] * 2)


def _turned(pixels: np.ndarray) -> None:
    """Stored as a camera would that was held in each of the eight ways."""
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels.transpose(1, 0, 2)[::-1],
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: pixels.transpose(1, 0, 2)[:, ::-1],
    }
    for turn, array in stored.items():
        exif = Image.Exif()
        exif[_ORIENTATION] = turn
        picture = Image.fromarray(np.ascontiguousarray(array))
        _add(picture, "PNG", pixels, exif=exif)
        _add(picture, "TIFF", pixels, exif=exif)
        _add(picture, "WEBP", pixels, exif=exif, lossless=True)
        _add(picture, "JPEG", exif=exif)


def _others(picture: Image.Image) -> None:
    """What loses something, has more than 8 bits, or is not read at all."""
    for options in (
        {"quality": 90},
        {"quality": 20, "progressive": True},
        {"subsampling": 0, "restart_marker_rows": 1},
        {"icc_profile": _profile(), "comment": b"\xff\x00 a comment"},
        {"optimize": True, "exif": b"Exif\0\0nothing that is one"},
    ):
        _add(picture, "JPEG", **options)
    _add(picture.convert("L"), "JPEG")
    _add(picture.convert("CMYK"), "JPEG")
    _add(picture, "WEBP", quality=50)
    _add(picture.convert("RGBA"), "WEBP", save_all=True, append_images=[picture.convert("RGBA")])
    _add(picture, "PNG", save_all=True, append_images=[picture.rotate(180)], duration=10)
    for mode in ("CMYK", "YCbCr", "LAB", "LA"):
        _add(picture.convert(mode), "TIFF")
    _add(picture, "TIFF", compression="jpeg")
    _add(picture, "TIFF", save_all=True, append_images=[picture.rotate(90, expand=True)])
    _add(picture.convert("LA"), "PNG")
    deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    for kind in ("PNG", "TIFF", "PPM"):
        _add(Image.fromarray(deep), kind)
    _add(Image.fromarray(deep.astype(np.int32)), "TIFF")
    _add(Image.fromarray(deep.astype(np.float32) / 65535), "TIFF")
    _add(Image.fromarray(deep.astype(np.float32) / 65535), "PPM")  # as PFM
    w, h = picture.size
    numbers = " ".join(str(value) for value in np.asarray(picture).reshape(-1))
    _files.append((f"P3\n# words\n{w} {h}\n255\n{numbers}\n".encode(), None))
    _add(picture.resize((16, 16)), "ICO", sizes=[(16, 16)])
    _add(picture, "JPEG2000")
    _files.append((b"<svg xmlns='http://www.w3.org/2000/svg'/>", None))
    _files.append((b"<!DOCTYPE html><title>404</title>", None))
    _files.append((b"", None))


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# Damage


def _damaged(random: Random, data: bytes) -> bytes:
    what = random.random()
    if what < 0.1:
        return data[: random.randrange(len(data) + 1)]
    if what < 0.2:
        other = random.choice(_by_kind.get(data[:2]) or [data])
        return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]
    if what < 0.25:
        return data + random.randbytes(random.choice([1, 100]))
    if what < 0.4:
        return _resized(random, data)
    damaged = mangle_bytes(random, data)
    if data.startswith(b"\x89PNG") and random.random() < 0.7:
        return _with_sums(damaged)
    return damaged


_SIZES = (0, 1, 2, 3, 8, 17, 64, 255, 256, 257, 900)
_REFUSED = ((11_586, 11_586), (65_535, 65_535), (2**27 + 1, 1), (2**31, 2**31), (2**32 - 1, 1))
_TAKEN = ((4_000, 1_000), (1, 2**20), (2**16 - 1, 9))
_LARGEST = ((11_585, 11_585), (1, 2**27))


def _resized(random: Random, data: bytes) -> bytes:
    """The same with another size in its header."""
    kind = random.random()
    w, h = random.choice(_SIZES), random.choice(_SIZES)
    if kind < 0.2:
        w, h = random.choice(_REFUSED)
    elif kind < 0.21:
        w, h = random.choice(_TAKEN)
    elif kind < 0.2101:  # seconds, and gigabytes
        w, h = random.choice(_LARGEST)
    changed = bytearray(data)
    if data.startswith(b"\x89PNG"):
        changed[16:24] = struct.pack(">II", w % 2**32, h % 2**32)
        return _with_sums(bytes(changed))
    if data.startswith(b"GIF8"):
        at = random.choice([6, data.find(b",") + 5])
        changed[at : at + 4] = struct.pack("<HH", w % 2**16, h % 2**16)
    elif data.startswith(b"BM"):
        changed[18:26] = struct.pack("<II", w % 2**32, h % 2**32)
    elif data.startswith(b"RIFF"):
        at = data.find(b"VP8X") + 12
        changed[at : at + 6] = (w % 2**24).to_bytes(3, "little") + (h % 2**24).to_bytes(3, "little")
    elif data.startswith(b"\xff\xd8"):
        frame = re.search(rb"\xff[\xc0\xc2]..\x08", data, re.DOTALL)
        if frame:
            changed[frame.end() : frame.end() + 4] = struct.pack(">HH", h % 2**16, w % 2**16)
    elif data.startswith(b"II*\0"):
        for tag, value in ((256, w), (257, h)):
            at = data.find(struct.pack("<H", tag))
            if at >= 0:
                changed[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value % 2**32)
    elif data[:1] == b"P":
        return re.sub(rb"(?m)^[0-9]+ [0-9]+$", f"{w} {h}".encode(), data, count=1)
    elif len(data) > 18:
        changed[12:16] = struct.pack("<HH", w % 2**16, h % 2**16)
    return bytes(changed)


def _with_sums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them, as far as they go."""
    found, at = bytearray(data), 8
    while at + 12 <= len(found):
        (length,) = struct.unpack_from(">I", found, at)
        if at + 12 + length > len(found):
            break
        total = zlib.crc32(bytes(found[at + 4 : at + 8 + length]))
        struct.pack_into(">I", found, at + 8 + length, total)
        at += 12 + length
    return bytes(found)
