from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from darknet_py.images.io.decode import decode
from darknet_py.images.io.image import to_float
from darknet_py.images.io.orientation import orient, orientation
from darknet_py.images.io.quiet import quiet
from tests.images.pictures import encode, noise, picture

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
