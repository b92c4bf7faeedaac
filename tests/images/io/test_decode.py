from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageFile

from darknet_py.errors import PictureError
from darknet_py.images.io import decode as decode_module
from darknet_py.images.io.decode import MAX_PIXELS, decode
from tests.images.pictures import encode, files, picture


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
