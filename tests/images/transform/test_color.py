"""None"""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darknet_py.errors import ShapeError
from darknet_py.images import to_channels, with_colors_of
from tests.images.pictures import Floats, golden, noise
from tests.support.c_pictures import distort_image, hsv_to_rgb, rgb_to_hsv


def test_three_channels_are_the_picture_itself() -> None:
    image = noise(4, 5)
    assert to_channels(image, 3) is image
    assert to_channels(image.astype(np.float64), 3).dtype == np.float32


def test_one_channel_is_the_mean() -> None:
    image = noise(4, 5)
    grey = to_channels(image, 1)
    assert grey.shape == (4, 5, 1)
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey[:, :, 0], image.mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("c", [0, 2, 4])
def test_pictures_have_no_other_number_of_channels(c: int) -> None:
    with pytest.raises(ShapeError) as caught:
        to_channels(noise(4, 5), c)
    assert str(caught.value) == f"takes {c} channels: pictures have 1 or 3"


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        to_channels(noise(4, 5)[0], 1)


shares = st.floats(0, 1, width=32)
pixels = st.tuples(shares, shares, shares)


def one_pixel(r: float, g: float, b: float) -> Floats:
    return np.array([[[r, g, b]]], np.float32)


@pytest.mark.parametrize(("hue", "sat", "val"), [("0.1", "1.2", "0.8"), ("-0.1", "0.7", "1.4")])
def test_distort_image_is_the_c_programs(hue: str, sat: str, val: str) -> None:
    expected = golden(f"distort_image__hue{hue}_sat{sat}_val{val}")
    distorted = distort_image(golden("x"), float(hue), float(sat), float(val))
    np.testing.assert_allclose(distorted, expected, atol=1e-6, rtol=0)


def test_distort_image_by_nothing_is_the_c_programs() -> None:
    expected = golden("distort_image__hue0_sat1_val1")
    np.testing.assert_allclose(distort_image(golden("x"), 0, 1, 1), expected, atol=1e-6, rtol=0)
    np.testing.assert_allclose(distort_image(golden("x"), 0, 1, 1), golden("x"), atol=1e-6, rtol=0)


@given(pixels)
def test_hsv_is_what_pythons_own_colorsys_says(pixel: tuple[float, float, float]) -> None:
    hue, saturation, value = rgb_to_hsv(one_pixel(*pixel))[0, 0]
    expected = colorsys.rgb_to_hsv(*pixel)
    assert abs((hue - expected[0] + 0.5) % 1 - 0.5) < 1e-5  # Just below red is near red.
    assert (saturation, value) == pytest.approx(expected[1:], abs=1e-5)
    assert 0 <= hue < 1


@given(pixels)
def test_there_and_back_is_the_same_colour(pixel: tuple[float, float, float]) -> None:
    image = one_pixel(*pixel)
    np.testing.assert_allclose(hsv_to_rgb(rgb_to_hsv(image)), image, atol=2e-6, rtol=0)


@given(st.floats(0, 0.99), shares, shares)
def test_rgb_is_what_pythons_own_colorsys_says(h: float, s: float, v: float) -> None:
    h = float(np.float32(h))
    expected = colorsys.hsv_to_rgb(h, s, v)
    np.testing.assert_allclose(hsv_to_rgb(one_pixel(h, s, v))[0, 0], expected, atol=1e-5, rtol=0)


def test_a_hue_just_below_red_is_red_not_magenta() -> None:
    image = one_pixel(1, 0, 1e-9)
    np.testing.assert_allclose(hsv_to_rgb(rgb_to_hsv(image)), image, atol=1e-6, rtol=0)


@pytest.mark.parametrize("hue", [1, -0.1, 1.5])
def test_hues_out_of_range_fall_in_the_last_sixth_as_in_the_c_program(hue: float) -> None:
    sixth = hue * 6
    f = sixth - np.floor(sixth)
    rgb = hsv_to_rgb(one_pixel(hue, 1, 1))[0, 0]
    np.testing.assert_allclose(rgb, [1, 0, 1 - f], atol=1e-5)


def test_black_and_grey_have_no_hue_and_divide_nothing_by_zero() -> None:
    assert rgb_to_hsv(one_pixel(0, 0, 0)).tolist() == [[[0, 0, 0]]]
    assert rgb_to_hsv(one_pixel(0.5, 0.5, 0.5)).tolist() == [[[0, 0, 0.5]]]


@given(pixels, st.floats(-1, 1), st.floats(0, 4), st.floats(0, 4))
def test_distorted_values_stay_in_range(
    pixel: tuple[float, float, float], hue: float, sat: float, val: float
) -> None:
    distorted = distort_image(one_pixel(*pixel), hue, sat, val)
    assert distorted.min() >= 0
    assert distorted.max() <= 1
    assert distorted.dtype == np.float32


@pytest.mark.parametrize("hue", [1 / 3, -2 / 3])
def test_a_third_of_a_turn_makes_red_green(hue: float) -> None:
    distorted = distort_image(one_pixel(0.9, 0.1, 0.1), hue, 1, 1)[0, 0]
    np.testing.assert_allclose(distorted, [0.1, 0.9, 0.1], atol=1e-5)


def test_the_picture_is_left_alone() -> None:
    image = noise(4, 5)
    before = image.copy()
    for changed in (distort_image(image, 0.1, 2, 0.5), rgb_to_hsv(image), hsv_to_rgb(image)):
        assert changed.shape == image.shape
        assert changed.flags.c_contiguous
        assert not np.shares_memory(changed, image)
    assert np.array_equal(image, before)


def test_other_than_three_channels_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="no three colours"):
        distort_image(noise(4, 4, 1), 0, 1, 1)
    with pytest.raises(ValueError, match="not a picture"):
        rgb_to_hsv(noise(4, 4)[0])


def test_as_bright_as_the_one_in_the_colours_of_the_other() -> None:
    rng = np.random.default_rng(0)
    image, source = (rng.uniform(0.35, 0.65, (9, 8, 3)).astype(np.float32) for _ in range(2))
    found = with_colors_of(image, source)
    y, cb, cr = (_channels(found)[..., i] for i in range(3))
    np.testing.assert_allclose(y, _channels(image)[..., 0], atol=1.5)
    np.testing.assert_allclose(cb, _channels(source)[..., 1], atol=1.5)
    np.testing.assert_allclose(cr, _channels(source)[..., 2], atol=1.5)
    np.testing.assert_allclose(with_colors_of(source, source), source, atol=1e-6)


def _channels(image: np.ndarray) -> np.ndarray:
    """Y, Cb and Cr, 0..255, as Pillow has them."""
    pixels = np.rint(image * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)


def test_within_0_and_1() -> None:
    bright, dark = np.ones((2, 2, 3), np.float32), np.zeros((2, 2, 3), np.float32)
    dark[..., 0] = 0.5
    found = with_colors_of(bright, dark)
    assert found.max() == 1
    assert found.min() >= 0


def test_a_grey_picture_is_itself() -> None:
    grey = np.random.default_rng(0).random((3, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(with_colors_of(grey, grey * 0), grey)
