from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import center_crop_image, crop_image
from tests.images.pictures import golden, noise

sides = st.integers(1, 20)
offsets = st.integers(-30, 30)


@pytest.mark.parametrize(("dx", "dy", "w", "h"), [(5, -3, 40, 30), (-8, 20, 61, 47)])
def test_crop_image_is_the_c_programs(dx: int, dy: int, w: int, h: int) -> None:
    expected = golden(f"crop_image__dx{dx}_dy{dy}_w{w}_h{h}")
    assert np.array_equal(crop_image(golden("x"), dx, dy, w, h), expected)


def test_center_crop_image_is_the_c_programs() -> None:
    expected = golden("center_crop_image__w24_h24")
    np.testing.assert_allclose(center_crop_image(golden("x"), 24, 24), expected, atol=1e-6, rtol=0)


@given(sides, sides, offsets, offsets, sides, sides)
def test_every_pixel_is_the_nearest_inside(
    in_h: int, in_w: int, dx: int, dy: int, w: int, h: int
) -> None:
    image = noise(in_h, in_w, 2)
    cropped = crop_image(image, dx, dy, w, h)
    assert cropped.shape == (h, w, 2)
    assert cropped.dtype == np.float32
    assert not np.shares_memory(cropped, image)
    for y in range(h):
        for x in range(w):
            inside = image[min(max(y + dy, 0), in_h - 1), min(max(x + dx, 0), in_w - 1)]
            assert np.array_equal(cropped[y, x], inside)


@given(sides, sides)
def test_the_middle_square_at_its_size_is_only_cut_out(in_h: int, in_w: int) -> None:
    image = noise(in_h, in_w)
    side = min(in_h, in_w)
    top, left = (in_h - side) // 2, (in_w - side) // 2
    assert np.array_equal(
        center_crop_image(image, side, side), image[top : top + side, left : left + side]
    )


@pytest.mark.parametrize(("w", "h"), [(7, 3), (1, 1)])
def test_center_crop_gives_the_size_asked_for(w: int, h: int) -> None:
    assert center_crop_image(noise(9, 5), w, h).shape == (h, w, 3)
    assert center_crop_image(noise(5000, 1), w, h).shape == (h, w, 3)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="0x4 pixels cannot be"):
        crop_image(noise(4, 4), 0, 0, 0, 4)
    with pytest.raises(ValueError, match="4x0 pixels cannot be"):
        center_crop_image(noise(4, 4), 4, 0)
    with pytest.raises(ValueError, match="not a picture"):
        crop_image(noise(4, 4)[0], 0, 0, 2, 2)
    with pytest.raises(ValueError, match="not a picture"):
        center_crop_image(noise(4, 4)[0], 2, 2)
