from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import PREPARED_FITS, is_prepared, load_prepared, save_image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def thirds(path: Path, w: int, h: int) -> Path:
    """Red, green and blue, side by side."""
    picture = Image.new("RGB", (w, h), RED)
    picture.paste(GREEN, (w // 3, 0, 2 * w // 3, h))
    picture.paste(BLUE, (2 * w // 3, 0, w, h))
    picture.save(path)
    return path


def colours(image: np.ndarray, row: int) -> list[tuple[int, ...]]:
    """Left, middle and right of a row."""
    w = image.shape[1]
    return [tuple((255 * image[row, x]).round().astype(int)) for x in (1, w // 2, w - 2)]


def test_crop_keeps_the_middle(tmp_path: Path) -> None:
    image = load_prepared(thirds(tmp_path / "a.png", 90, 30), 16, "crop")
    assert image.shape == (16, 16, 3)
    assert image.dtype == np.float32
    assert colours(image, 8) == [GREEN] * 3


def test_squash_keeps_all(tmp_path: Path) -> None:
    image = load_prepared(thirds(tmp_path / "a.png", 90, 30), 30, "squash")
    assert colours(image, 15) == [RED, GREEN, BLUE]


def test_letterbox_keeps_all_on_grey(tmp_path: Path) -> None:
    image = load_prepared(thirds(tmp_path / "a.png", 90, 30), 30, "letterbox")
    assert colours(image, 15) == [RED, GREEN, BLUE]
    assert colours(image, 2) == colours(image, 27) == [(128, 128, 128)] * 3


def test_every_pixel_counts(tmp_path: Path) -> None:
    """Stripes of one pixel come out grey: darknet's two taps would show some of them."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, ::4] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = load_prepared(tmp_path / "a.png", 8, "crop")
    np.testing.assert_allclose(image, 0.25, atol=0.07)


@pytest.mark.parametrize("fit", PREPARED_FITS)
def test_a_picture_of_its_size_stays_as_it_is(tmp_path: Path, fit: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        load_prepared(tmp_path / "a.png", 12, fit), (pixels / 255).astype(np.float32)
    )


def test_a_narrow_one_is_grown(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 200), (10, 20, 30, 99)).save(tmp_path / "a.png")
    for fit in PREPARED_FITS:
        image = load_prepared(tmp_path / "a.png", 9, fit)
        assert image.shape == (9, 9, 3)
        assert colours(image, 4)[1] == (10, 20, 30)


def test_what_is_there_already(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    assert not is_prepared(path, 8)
    save_image(np.zeros((8, 8, 3), np.float32), path)
    assert is_prepared(path, 8)
    assert not is_prepared(path, 9)
    path.write_bytes(path.read_bytes()[:-40])
    assert not is_prepared(path, 8)


def test_what_is_no_picture_and_no_fit(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(PictureError, match=r"a\.png: is empty"):
        load_prepared(tmp_path / "a.png", 8, "crop")
    thirds(tmp_path / "b.png", 9, 9)
    with pytest.raises(ValueError, match="min"):
        load_prepared(tmp_path / "b.png", 8, "min")
