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
    fit_image,
    letterbox_image,
    load_fitted,
    load_image,
    resize_min,
    save_image,
)
from darknet_py.images.transform.fit import MAX_STRETCH
from tests.images.pictures import noise


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


def test_mistakes_are_named() -> None:
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
    assert np.array_equal(load_fitted(tmp_path / "a.png", 8, 6, fit), expected)


def test_a_file_too_narrow_is_named(tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    save_image(noise(1, 40), path)
    with pytest.raises(PictureError) as caught:
        load_fitted(path, 8, 8, "min")
    assert str(caught.value) == f"{path}: 40x1 is too narrow for --fit min: use --fit letterbox"


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        load_fitted(tmp_path / "no.png", 8, 8, "min")
    assert str(caught.value) == f"{tmp_path / 'no.png'}: no such file: check the name"
