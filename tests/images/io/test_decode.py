"""None"""

from __future__ import annotations

import logging
import struct
import threading
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFile, ImageOps

from darknet_py.errors import PictureError
from darknet_py.images.io import decode as decode_module
from darknet_py.images.io.decode import MAX_PIXELS, decode, mode_to_rgb, orient, orientation, quiet
from darknet_py.images.io.image import to_float
from tests.images.pictures import Floats, encode, files, noise, picture


def warn_as_pillow() -> None:
    warnings.warn_explicit("a bomb", RuntimeWarning, "Image.py", 1, module="PIL.Image")


def test_pillows_warnings_and_log_print_nothing_inside(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    with quiet():
        warn_as_pillow()
        logging.getLogger("PIL.TiffImagePlugin").error("too many samples")
    assert capfd.readouterr().err == ""


def test_others_warnings_pass() -> None:
    with quiet(), pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)


def test_all_is_as_before_outside() -> None:
    filters, handlers = list(warnings.filters), list(logging.getLogger("PIL").handlers)
    with quiet():
        assert list(warnings.filters) != filters
    assert list(warnings.filters) == filters
    assert logging.getLogger("PIL").handlers == handlers
    with pytest.warns(RuntimeWarning, match="a bomb"):
        warn_as_pillow()


def test_an_error_inside_leaves_nothing_behind() -> None:
    filters = list(warnings.filters)
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert list(warnings.filters) == filters


def test_threads_that_overlap_leave_nothing_behind() -> None:
    filters = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with quiet():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=stay)
    with quiet():
        thread.start()
        entered.wait(5)
    warn_as_pillow()  # An error, were the other thread not still inside.
    leave.set()
    thread.join()
    assert list(warnings.filters) == filters


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


# For a stored picture of 2 rows and 3 columns: what is to be seen, row by row.
STORED = [[1, 2, 3], [4, 5, 6]]
UPRIGHT = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}
TURNS = sorted(UPRIGHT)


def exif(turn: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = turn
    return tags


@pytest.mark.parametrize("turn", TURNS)
def test_each_orientation_stands_upright(turn: int) -> None:
    stored = np.array(STORED, np.float32)[:, :, None]
    upright = orient(stored, turn)
    assert upright[:, :, 0].tolist() == UPRIGHT[turn]
    assert upright.flags.c_contiguous


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_cameras_file_is_turned_once(kind: str, turn: int) -> None:
    if kind == "TIFF":
        data = encode(picture(), kind, tiffinfo={0x0112: turn})
    else:
        data = encode(picture(), kind, exif=exif(turn))
    with Image.open(BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)) / np.float32(255)
    image = to_float(decode(BytesIO(data)))
    assert image.shape == ((26, 34, 3) if turn < 5 else (34, 26, 3))
    np.testing.assert_array_equal(image, expected)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("turn", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(turn: int) -> None:
    image = decode(BytesIO(encode(picture(), "PNG", exif=exif(turn))))
    assert image.shape == (26, 34, 3)


@pytest.mark.parametrize(
    "block", [b"", b"no", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12"]
)
def test_a_damaged_note_does_not_damage_the_picture(block: bytes) -> None:
    image = picture()
    image.info["exif"] = block
    with quiet():
        assert orientation(image) == 1


def test_an_orientation_that_is_no_number_is_upright() -> None:
    image = picture()
    image.getexif()[0x0112] = "6"
    assert orientation(image) == 1


def test_an_upright_picture_is_not_copied() -> None:
    image = noise(3, 4)
    assert orient(image, 1) is image


def png_header(w: int, h: int) -> bytes:
    """A PNG that claims a size and holds one row."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    row = zlib.compress(bytes(1 + 3 * 10))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def fault(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode(BytesIO(data))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    ("w", "h"), [(20000, 20000), (12000, 12000), (MAX_PIXELS + 1, 1), (2**31 - 1, 2**31 - 1)]
)
def test_a_bomb_is_refused_by_its_header(w: int, h: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert f"has more than {MAX_PIXELS} pixels: make it smaller" in fault(png_header(w, h))
    assert capfd.readouterr() == ("", "")


def test_a_size_that_pillow_would_warn_of_is_read_without_a_warning(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    assert decode(BytesIO(files()["L.bmp"])).shape == (26, 34, 3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name", ["jpg", "cmyk.jpg", "RGB.png", "RGB.bmp", "webp", "RGB.tif", "jpeg.tif", "RGB.ppm"]
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_file_cut_short_says_so(name: str, share: float) -> None:
    data = files()[name]
    message = fault(data[: int(len(data) * share)])
    assert message.startswith("is damaged or cut short (")
    assert message.endswith("): copy or save it again")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: copy or download it again"),
        (b"\n<!DOCTYPE html>\n<html>", "is an HTML page, not a picture: download"),
        (b"<html><body>404", "is an HTML page, not a picture: download"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer"),
        (b"a shopping list\n", "is not a picture of a kind that is read (JPEG, PNG, "),
        (bytes(5000), "is not a picture of a kind that is read"),
    ],
)
def test_what_is_not_a_picture_is_said_to_be_what_it_is(data: bytes, message: str) -> None:
    assert fault(data).startswith(message)


def test_files_that_are_programs_are_not_run() -> None:
    eps = encode(picture(), "EPS")
    assert eps.startswith(b"%!PS")
    assert "not a picture of a kind that is read" in fault(eps)


def test_too_little_memory_is_a_fault_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", load)
    assert fault(files()["L.bmp"]) == "needs more memory than there is: make it smaller"


def test_pillows_settings_are_left_alone() -> None:
    assert Image.MAX_IMAGE_PIXELS == 1024 * 1024 * 1024 // 4 // 3
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_reason_is_given_even_where_pillow_gives_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(*_: Any, **__: Any) -> None:
        raise EOFError

    monkeypatch.setattr(Image, "open", nothing)
    assert fault(b"x") == "is damaged or cut short (EOFError): copy or save it again"


def test_a_picture_that_does_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which its header tells: nothing is taken before."""
    monkeypatch.setattr(decode_module, "available_memory", lambda: 1 << 30)
    assert fault(png_header(8000, 8000)) == (
        "8000x8000 needs about 1.3 GB of memory, and 1.1 GB are free: make it smaller"
    )


@pytest.mark.parametrize("size", [(1, 1), (300, 291), (40_000, 9), (700, 1000)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_large_pictures_are_copied_in_strips(size: tuple[int, int], mode: str) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (size[1], size[0], 3)[: 3 if mode == "RGB" else 2], np.uint8)
    made = Image.fromarray(pixels)
    np.testing.assert_array_equal(mode_to_rgb(made), np.array(made.convert("RGB")))
