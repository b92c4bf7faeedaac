from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from darknet_py.images import encode_jpeg, encode_png
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
