"""None"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import PictureError
from darknet_py.images import (
    FITS,
    center_crop_image,
    crop_image,
    fit_image,
    letterbox_image,
    load_image,
    load_with_fitted,
    resize_image,
    resize_min,
    save_image,
)
from darknet_py.images.transform.fit import MAX_STRETCH
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


def test_mistakes_are_named_of_letterbox() -> None:
    with pytest.raises(ValueError, match="0x4 pixels cannot be"):
        letterbox_image(noise(4, 4), 0, 4)
    with pytest.raises(ValueError, match="not a picture"):
        letterbox_image(noise(4, 4)[0], 2, 2)


def test_the_ways_of_fitting() -> None:
    image = noise(20, 30)
    assert FITS == ("min", "letterbox", "crop")
    assert np.array_equal(fit_image(image, 8, 6, "min"), resize_min(image, 8))
    assert np.array_equal(fit_image(image, 8, 6, "letterbox"), letterbox_image(image, 8, 6))
    assert np.array_equal(fit_image(image, 8, 6, "crop"), center_crop_image(image, 8, 6))


def test_min_lets_the_longer_side_grow() -> None:
    assert fit_image(np.zeros((576, 768, 3), np.float32), 224, 224, "min").shape == (224, 298, 3)
    assert fit_image(np.zeros((768, 576, 3), np.float32), 224, 224, "min").shape == (298, 224, 3)


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
@given(h=st.integers(1, 50), w=st.integers(1, 50))
def test_the_others_give_the_networks_size(fit: str, h: int, w: int) -> None:
    assert fit_image(noise(h, w), 12, 9, fit).shape == (9, 12, 3)


@pytest.mark.parametrize(("w", "h"), [(1, 5000), (5000, 1)])
def test_the_narrowest_pictures_are_too_narrow_for_min_only(w: int, h: int) -> None:
    image = noise(h, w)
    with pytest.raises(PictureError) as caught:
        fit_image(image, 224, 224, "min")
    expected = f"{w}x{h} is too narrow for --fit min: use --fit letterbox"
    assert str(caught.value) == expected
    assert fit_image(image, 224, 224, "letterbox").shape == (224, 224, 3)
    assert fit_image(image, 224, 224, "crop").shape == (224, 224, 3)


def test_how_narrow_is_too_narrow() -> None:
    assert fit_image(noise(2, 2 * MAX_STRETCH), 4, 4, "min").shape == (4, 4 * MAX_STRETCH, 3)
    with pytest.raises(PictureError):
        fit_image(noise(2, 2 * MAX_STRETCH + 1), 4, 4, "min")


@pytest.mark.parametrize("fit", FITS)
def test_the_same_size_gives_a_new_array(fit: str) -> None:
    image = noise(6, 6)
    fitted = fit_image(image, 6, 6, fit)
    assert np.array_equal(fitted, image)
    assert not np.shares_memory(fitted, image)


def test_mistakes_are_named_of_fit() -> None:
    with pytest.raises(ValueError, match="fit 'stretch' is none of min, letterbox, crop"):
        fit_image(noise(4, 4), 4, 4, "stretch")
    with pytest.raises(ValueError, match="0x4 pixels cannot be"):
        fit_image(noise(4, 4), 0, 4, "min")
    with pytest.raises(ValueError, match="not a picture"):
        fit_image(noise(4, 4)[0], 4, 4, "min")


@pytest.mark.parametrize("fit", FITS)
def test_from_a_file(tmp_path: Path, fit: str) -> None:
    save_image(noise(20, 30), tmp_path / "a.png")
    expected = fit_image(load_image(tmp_path / "a.png"), 8, 6, fit)
    assert np.array_equal(load_with_fitted(tmp_path / "a.png", 8, 6, fit)[1], expected)


def test_a_file_too_narrow_is_named(tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    save_image(noise(1, 40), path)
    with pytest.raises(PictureError) as caught:
        load_with_fitted(path, 8, 8, "min")
    assert str(caught.value) == f"{path}: 40x1 is too narrow for --fit min: use --fit letterbox"


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        load_with_fitted(tmp_path / "no.png", 8, 8, "min")
    assert str(caught.value) == f"{tmp_path / 'no.png'}: no such file: check the name"
