from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images.io.decode import decode
from darknet_py.images.io.image import to_float
from darknet_py.images.io.modes import mode_to_rgb
from tests.images.pictures import Floats, encode

BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def grey(values: npt.NDArray[Any], white: float) -> Floats:
    scaled = (values.astype(np.float64) / white).astype(np.float32)
    return np.repeat(scaled[:, :, None], 3, axis=2)


def through(image: Image.Image, kind: str, **options: Any) -> Floats:
    decoded = decode(BytesIO(encode(image, kind, **options)))
    assert decoded.dtype in (np.uint8, np.float32)
    assert decoded.flags.c_contiguous
    return to_float(decoded)


def test_bytes_are_divided_by_255_exactly() -> None:
    rgb = np.stack([BYTES, BYTES[::-1], BYTES.T], axis=2)
    expected = (rgb / 255.0).astype(np.float32)
    assert np.array_equal(through(Image.fromarray(rgb), "PNG"), expected)


def test_grey_fills_all_channels() -> None:
    assert np.array_equal(through(Image.fromarray(BYTES), "PNG"), grey(BYTES, 255))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "GIF"])
def test_one_bit_is_black_or_white(kind: str) -> None:
    bits = BYTES % 3 == 0
    assert np.array_equal(through(Image.fromarray(bits), kind), grey(bits, 1))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 1, 255], [256, 32768, 65535]], np.uint16)
    assert np.array_equal(through(Image.fromarray(values), kind), grey(values, 65535))


def test_16_bit_grey_of_the_other_byte_order() -> None:
    values = np.array([[0, 1, 255], [256, 32768, 65535]], np.uint16)
    swapped = Image.frombytes("I;16B", (3, 2), values.astype(">u2").tobytes())
    assert np.array_equal(mode_to_rgb(swapped), grey(values, 65535))


def test_a_wide_pgm_is_scaled_by_its_own_white() -> None:
    image = decode(BytesIO(b"P2\n3 1\n1000\n0 500 1000\n"))
    np.testing.assert_allclose(image[0, :, 0], [0, 0.5, 1], atol=1e-5)


def test_integers_of_32_bits_are_read_as_16() -> None:
    values = np.array([[0, 1, 65535]], np.int32)
    assert np.array_equal(through(Image.fromarray(values), "TIFF"), grey(values, 65535))


@pytest.mark.parametrize("values", [[-1, 5], [5, 65536]])
def test_integers_beyond_16_bits_are_refused(values: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.int32))
    with pytest.raises(PictureError, match="are not in 0 to 65535"):
        mode_to_rgb(image)


def test_floats_are_taken_as_they_are() -> None:
    values = np.array([[0, 0.25, 1]], np.float32)
    assert np.array_equal(through(Image.fromarray(values), "TIFF"), grey(values, 1))


@pytest.mark.parametrize("wrong", [1.5, 255, -0.1, np.nan, np.inf])
def test_floats_beyond_one_are_refused(wrong: float) -> None:
    image = Image.fromarray(np.array([[0.5, wrong]], np.float32))
    with pytest.raises(PictureError, match="are not in 0 to 1: "):
        mode_to_rgb(image)


def tiff(bits: int, photometric: int, pixels: bytes, w: int) -> bytes:
    """An uncompressed grey TIFF of one row, by hand: Pillow writes no such kinds."""
    tags = [
        (256, w),
        (257, 1),
        (258, bits),
        (259, 1),
        (262, photometric),
        (273, 8 + 2 + 9 * 12 + 4),
        (277, 1),
        (278, 1),
        (279, len(pixels)),
    ]
    entries = b"".join(
        tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" + value.to_bytes(4, "little")
        for tag, value in tags
    )
    header = b"II*\0\x08\0\0\0" + len(tags).to_bytes(2, "little")
    return header + entries + bytes(4) + pixels


def test_12_bit_grey_is_scaled_by_4095() -> None:
    # Two 12-bit values in three bytes: 0xfff, 0x800.
    image = decode(BytesIO(tiff(12, 1, b"\xff\xf8\x00", 2)))
    np.testing.assert_allclose(image[0, :, 0], [1, 0x800 / 4095], atol=1e-6)


def test_16_bit_grey_where_0_is_white_is_turned_over() -> None:
    image = decode(BytesIO(tiff(16, 0, b"\x00\x00\xff\xff", 2)))
    assert image[0, :, 0].tolist() == [1, 0]
    image = decode(BytesIO(tiff(16, 1, b"\x00\x00\xff\xff", 2)))
    assert image[0, :, 0].tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "TGA"])
def test_alpha_is_dropped_and_hidden_colours_show(kind: str) -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[:] = (200, 100, 50, 0)
    rgba[0, 0, 3] = 255
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    image = through(Image.fromarray(rgba), kind, **options)
    assert np.array_equal(image, (rgba[:, :, :3] / 255.0).astype(np.float32))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_with_alpha(kind: str) -> None:
    image = Image.merge("LA", [Image.fromarray(BYTES), Image.fromarray(BYTES[::-1])])
    assert np.array_equal(through(image, kind), grey(BYTES, 255))


def palette() -> tuple[Image.Image, Floats]:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "L").convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]])
    return image, (colours[[[0, 1], [2, 1]]] / 255.0).astype(np.float32)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "TGA"])
def test_palettes_give_their_colours(kind: str) -> None:
    image, expected = palette()
    assert np.array_equal(through(image, kind), expected)


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 128])])
def test_a_palettes_transparent_entries_give_their_colours(transparency: int | bytes) -> None:
    image, expected = palette()
    assert np.array_equal(through(image, "PNG", transparency=transparency), expected)


def test_colour_keys_are_dropped() -> None:
    rgb = Image.new("RGB", (2, 1), (10, 20, 30))
    image = through(rgb, "PNG", transparency=(10, 20, 30))
    assert np.array_equal(image, to_float(mode_to_rgb(rgb)))


def test_a_transparent_gif_gives_its_colours() -> None:
    image, expected = palette()
    assert np.array_equal(through(image, "GIF", transparency=1), expected)


def test_cmyk_is_light_taken_away() -> None:
    cmyk = Image.new("CMYK", (1, 1), (255, 0, 0, 0))
    assert through(cmyk, "TIFF").tolist() == [[[0, 1, 1]]]
    black = Image.new("CMYK", (1, 1), (0, 0, 0, 255))
    assert through(black, "TIFF").tolist() == [[[0, 0, 0]]]


def test_a_cmyk_jpeg_is_not_negative() -> None:
    paper = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    assert through(paper, "JPEG").min() > 0.98


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "PA", "RGBX"])
def test_rarer_modes_keep_their_colour(mode: str) -> None:
    rgb = Image.new("RGB", (2, 2), (255, 0, 0))
    found, expected = (to_float(mode_to_rgb(each)) for each in (rgb.convert(mode), rgb))
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize(("plain", "premultiplied"), [("LA", "La"), ("RGBA", "RGBa")])
def test_premultiplied_alpha_is_divided_out(plain: str, premultiplied: str) -> None:
    colour = (200, 128) if plain == "LA" else (200, 200, 200, 128)
    image = Image.new(plain, (1, 1), colour).convert(premultiplied)
    np.testing.assert_allclose(to_float(mode_to_rgb(image)), 200 / 255, atol=0.01)


def test_a_kind_that_is_not_read_is_named() -> None:
    with pytest.raises(PictureError, match="the kind LAB are not read: save it as"):
        mode_to_rgb(Image.new("LAB", (1, 1)))


@pytest.mark.parametrize("mode", ["P", "PA"])
def test_a_palette_that_is_missing_is_said(mode: str) -> None:
    """As a damaged TIFF may be, of which Pillow's conversion asserts the opposite."""
    image = Image.new(mode, (2, 2))
    image.palette = None
    with pytest.raises(PictureError, match="its pixels are numbers of colours, and it has none"):
        mode_to_rgb(image)


def test_an_animation_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (3, 2), "white"), Image.new("RGB", (3, 2), "black")
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        image = through(first, kind, save_all=True, append_images=[second])
        assert (image == 1).all(), kind
