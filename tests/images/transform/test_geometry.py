"""Pictures mirrored and turned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import flip_image, rotate_image
from tests.images.pictures import Floats, golden, noise
from tests.support.c_pictures import rotate_crop_image


def test_flip_image_is_the_c_programs() -> None:
    assert np.array_equal(flip_image(golden("x")), golden("flip_image"))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_twice_is_nothing_and_the_picture_is_left_alone(h: int, w: int, c: int) -> None:
    image = noise(h, w, c)
    before = image.copy()
    once = flip_image(image)
    assert once.flags.c_contiguous
    assert not np.shares_memory(once, image)
    assert np.array_equal(flip_image(once), image)
    assert np.array_equal(image, before)


def test_an_array_of_another_shape_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        flip_image(noise(4, 4)[0])


angles = st.floats(-7, 7)


@pytest.mark.parametrize("rad", [0.3, -0.05])
def test_rotate_image_is_the_c_programs(rad: float) -> None:
    expected = golden(f"rotate_image__rad{rad}")
    np.testing.assert_allclose(rotate_image(golden("x"), rad), expected, atol=1e-6, rtol=0)


def test_rotate_crop_image_is_the_c_programs() -> None:
    expected = golden("rotate_crop_image__rad0.1_s0.7_w32_h28_dx3.5_dy-2_aspect1.2")
    cropped = rotate_crop_image(golden("x"), 0.1, 0.7, 32, 28, 3.5, -2, 1.2)
    np.testing.assert_allclose(cropped, expected, atol=5e-6, rtol=0)


def at(image: Floats, x: float, y: float) -> Floats:
    """Bilinear, pixel by pixel, with zeros all around."""
    h, w, c = image.shape
    left, top = math.floor(x), math.floor(y)
    value = np.zeros(c, np.float32)
    for row, row_share in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, share in ((left, 1 - (x - left)), (left + 1, x - left)):
            if 0 <= row < h and 0 <= column < w:
                value += np.float32(row_share * share) * image[row, column]
    return value


@given(
    angles,
    st.floats(0.3, 3),
    st.floats(-9, 9),
    st.floats(-9, 9),
    st.floats(0.5, 2),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_every_pixel_is_the_formulas(
    rad: float, s: float, dx: float, dy: float, aspect: float, in_w: int, in_h: int
) -> None:
    w, h = 5, 4
    image = noise(in_h, in_w, 2)
    cropped = rotate_crop_image(image, rad, s, w, h, dx, dy, aspect)
    assert cropped.shape == (h, w, 2)
    assert cropped.dtype == np.float32
    cos, sin = math.cos(rad), math.sin(rad)
    for y in range(h):
        for x in range(w):
            u, v = (x - w / 2 + dx) / s * aspect, (y - h / 2 + dy) / s
            rx, ry = cos * u - sin * v + in_w / 2, sin * u + cos * v + in_h / 2
            np.testing.assert_allclose(cropped[y, x], at(image, rx, ry), atol=2e-4, rtol=0)


@given(angles, st.integers(1, 9), st.integers(1, 9))
def test_to_rotate_is_to_crop_with_nothing_else(rad: float, w: int, h: int) -> None:
    image = noise(h, w)
    cropped = rotate_crop_image(image, rad, 1, w, h, 0, 0, 1)
    assert np.array_equal(rotate_image(image, rad), cropped)


def test_no_angle_changes_nothing_and_gives_a_new_array() -> None:
    image = noise(5, 8)
    same = rotate_image(image, 0)
    assert np.array_equal(same, image)
    assert not np.shares_memory(same, image)


def test_a_positive_angle_turns_anticlockwise() -> None:
    image = np.zeros((9, 9, 1), np.float32)
    image[7, 4] = 1  # Low, in the middle.
    y, x, _ = np.unravel_index(rotate_image(image, math.pi / 2).argmax(), image.shape)
    assert x > 5
    assert 3 <= y <= 5


def test_outside_is_black() -> None:
    assert not rotate_crop_image(np.ones((4, 4, 3), np.float32), 0, 1, 4, 4, 50, 0, 1).any()


def test_a_tiny_scale_looks_far_beyond_the_picture_without_a_warning() -> None:
    cropped = rotate_crop_image(np.ones((4, 4, 1), np.float32), 0.3, 1e-30, 6, 6, 0, 0, 1)
    assert cropped.shape == (6, 6, 1)
    assert np.isfinite(cropped).all()


@pytest.mark.parametrize("s", [0, -1, math.nan])
def test_a_scale_must_be_above_zero(s: float) -> None:
    with pytest.raises(ValueError, match="not above 0"):
        rotate_crop_image(noise(4, 4), 0, s, 4, 4, 0, 0, 1)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="0x4 pixels cannot be"):
        rotate_crop_image(noise(4, 4), 0, 1, 0, 4, 0, 0, 1)
    with pytest.raises(ValueError, match="not a picture"):
        rotate_crop_image(noise(4, 4)[0], 0, 1, 4, 4, 0, 0, 1)
    with pytest.raises(ValueError, match="not a picture"):
        rotate_image(noise(4, 4)[0], 1)
