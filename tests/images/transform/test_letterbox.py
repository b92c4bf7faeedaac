from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import letterbox_image, resize_image
from tests.images.pictures import golden, noise


@pytest.mark.parametrize(("w", "h"), [(32, 32), (28, 40)])
def test_letterbox_image_is_the_c_programs(w: int, h: int) -> None:
    expected = golden(f"letterbox_image__w{w}_h{h}")
    np.testing.assert_allclose(letterbox_image(golden("x"), w, h), expected, atol=1e-6, rtol=0)


def test_a_wide_picture_lies_between_two_grey_bars() -> None:
    image = noise(10, 20)
    boxed = letterbox_image(image, 20, 15)
    assert np.array_equal(boxed[2:12], image)
    assert (boxed[:2] == 0.5).all()
    assert (boxed[12:] == 0.5).all()


def test_a_tall_picture_stands_between_two_grey_bars() -> None:
    image = noise(20, 10)
    boxed = letterbox_image(image, 15, 20)
    assert np.array_equal(boxed[:, 2:12], image)
    assert (boxed[:, :2] == 0.5).all()
    assert (boxed[:, 12:] == 0.5).all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30), st.integers(1, 30))
def test_as_large_as_fits(in_h: int, in_w: int, w: int, h: int) -> None:
    boxed = letterbox_image(np.ones((in_h, in_w, 1), np.float32), w, h)
    assert boxed.shape == (h, w, 1)
    assert boxed.dtype == np.float32
    rows, columns = np.where(np.abs(boxed[:, :, 0] - 0.5) > 0.4)
    new_w, new_h = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    if w * in_h < h * in_w:
        assert (new_w, new_h) == (w, max(1, in_h * w // in_w))
    else:
        assert (new_w, new_h) == (max(1, in_w * h // in_h), h)
    assert (columns.min(), rows.min()) == ((w - new_w) // 2, (h - new_h) // 2)


@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3)])
def test_the_narrowest_picture_keeps_a_line(shape: tuple[int, int, int]) -> None:
    boxed = letterbox_image(np.ones(shape, np.float32), 32, 32)
    assert (boxed == 1).sum() == 32 * 3
    assert (boxed == 0.5).sum() == 31 * 32 * 3


def test_the_same_size_is_a_copy() -> None:
    image = noise(8, 6)
    boxed = letterbox_image(image, 6, 8)
    assert np.array_equal(boxed, resize_image(image, 6, 8))
    assert not np.shares_memory(boxed, image)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="0x4 pixels cannot be"):
        letterbox_image(noise(4, 4), 0, 4)
    with pytest.raises(ValueError, match="not a picture"):
        letterbox_image(noise(4, 4)[0], 2, 2)
