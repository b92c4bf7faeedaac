"""What the tests of pictures share: the C program's figures, and pictures as files."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]

_OPERATIONS = Path(__file__).parents[1] / "golden" / "images" / "operations.npz"


@cache
def golden(key: str) -> Floats:
    """The array under a key of operations.npz, as (h, w, c)."""
    with np.load(_OPERATIONS) as figures:
        return np.ascontiguousarray(figures[key].transpose(1, 2, 0))


def noise(h: int, w: int, c: int = 3, seed: int = 7) -> Floats:
    """Random values in 0..1, shape (h, w, c)."""
    return np.random.default_rng(seed).random((h, w, c), dtype=np.float32)


def picture(mode: str = "RGB") -> Image.Image:
    """Random pixels of a Pillow mode, 34 wide and 26 high."""
    rng = np.random.default_rng(7)
    rgb = Image.fromarray(rng.integers(0, 256, (26, 34, 3), dtype=np.uint8))
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (26, 34), dtype=np.uint16))
    if mode == "F":
        return Image.fromarray(rng.random((26, 34), dtype=np.float32))
    return rgb.convert(mode)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A Pillow picture as the bytes of a file of the named format."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def files() -> dict[str, bytes]:
    """A small file of each format and of each kind that is decoded in a way of its own."""
    rgb, turned = picture(), picture().rotate(90)
    exif = Image.Exif()
    exif[0x0112] = 6
    made = {
        "jpg": encode(rgb, "JPEG", exif=exif),
        "progressive.jpg": encode(rgb, "JPEG", progressive=True),
        "cmyk.jpg": encode(picture("CMYK"), "JPEG"),
        "mpo.jpg": encode(rgb, "MPO", save_all=True, append_images=[turned]),
        "gif": encode(rgb, "GIF", save_all=True, append_images=[turned]),
        "transparent.gif": encode(picture("P"), "GIF", transparency=3),
        "animated.png": encode(rgb, "PNG", save_all=True, append_images=[turned]),
        "webp": encode(rgb, "WEBP", exif=exif),
        "lossless.webp": encode(picture("RGBA"), "WEBP", lossless=True),
        "animated.webp": encode(rgb, "WEBP", save_all=True, append_images=[turned]),
        "text.ppm": b"P3\n# by hand\n2 2\n255\n" + b"1 2 3 " * 4,
        "text.pgm": b"P2\n2 2\n1000\n1 2 3 999\n",
        "text.pbm": b"P1\n2 2\n1 0 0 1\n",
    }
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        made[f"{mode}.png"] = encode(picture(mode), "PNG", exif=exif)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"):
        made[f"{mode}.tif"] = encode(picture(mode), "TIFF", tiffinfo={0x0112: 6})
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        made[f"{compression}.tif"] = encode(rgb, "TIFF", compression=compression)
    made["group4.tif"] = encode(picture("1"), "TIFF", compression="group4")
    for mode in ("1", "L", "P", "RGB"):
        made[f"{mode}.bmp"] = encode(picture(mode), "BMP")
    for mode in ("1", "L", "RGB"):
        made[f"{mode}.ppm"] = encode(picture(mode), "PPM")
    for mode in ("L", "P", "RGB", "RGBA"):
        made[f"{mode}.tga"] = encode(picture(mode), "TGA")
        made[f"rle{mode}.tga"] = encode(picture(mode), "TGA", compression="tga_rle")
    return made
