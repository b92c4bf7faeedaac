"""None"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import check_animation, encode_jpeg, encode_png, save_animation
from tests.images.pictures import noise


def decoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("c", [1, 3])
def test_a_png_is_the_picture(c: int) -> None:
    image = noise(20, 30, c)
    found = decoded(encode_png(image))
    assert (found.format, found.size) == ("PNG", (30, 20))
    expected = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(found).reshape(20, 30, c), expected)


def test_smaller_and_with_fewer_colours() -> None:
    image = noise(200, 100)
    small = decoded(encode_png(image, 50, 8))
    assert small.size == (25, 50)
    assert len(np.unique(np.asarray(small.convert("RGB")).reshape(-1, 3), axis=0)) <= 8
    assert decoded(encode_png(image, 500)).size == (100, 200)


def test_a_jpeg_within_a_size() -> None:
    image = np.full((300, 600, 3), 0.25, np.float32)
    found = decoded(encode_jpeg(image, 100))
    assert (found.format, found.size) == ("JPEG", (100, 50))
    np.testing.assert_allclose(np.asarray(found), 64, atol=2)
    assert decoded(encode_jpeg(image[..., :1], 1000)).mode == "L"


def test_values_outside_are_clipped() -> None:
    image = np.array([[[2.0], [-1.0], [np.nan]]])
    assert np.asarray(decoded(encode_png(image))).tolist() == [[255, 0, 0]]


FRAMES = [np.full((12, 20, 3), 60 * k, np.uint8) for k in range(4)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_frames_come_back(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "dream.moving"
    save_animation(FRAMES, path, kind, 90)
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == (kind, (20, 12))
        assert getattr(picture, "n_frames", 1) == 4
        assert picture.info["loop"] == 0
        for k in range(4):
            picture.seek(k)
            picture.load()
            assert picture.info["duration"] == 90
            pixels = np.asarray(picture.convert("RGB")).astype(int)
            assert np.abs(pixels - 60 * k).max() <= 3


def test_grey_frames_and_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "grey.gif"
    save_animation([np.full((5, 6, 1), 99, np.uint8)], path, "GIF", 100)
    with Image.open(path) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (99, 99, 99)


def test_too_large() -> None:
    check_animation("GIF", 65535, 1)
    with pytest.raises(PictureError, match="20000x10: a side of a WEBP has at most 16383 pixels"):
        check_animation("WEBP", 20000, 10)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "no" / "dream.gif"
    with pytest.raises(PictureError) as caught:
        save_animation(FRAMES, path, "GIF", 100)
    assert str(caught.value) == f"{path}: cannot be written: No such file or directory"
