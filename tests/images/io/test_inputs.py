from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import Given, each_picture, load_image, name_of, to_image

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_all_kinds_are_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    expected = RGB / np.float32(255)
    alpha = np.dstack([RGB, np.full((5, 7), 9, np.uint8)])
    given: list[Given] = [
        *(path, str(path), Image.open(path), Image.fromarray(RGB), RGB, expected),
        *(expected.astype(np.float64), alpha, RGB[::-1][::-1]),
    ]
    for picture in given:
        found = to_image(picture, "it")
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, load_image(path))


def test_grey_fills_all_channels() -> None:
    grey = RGB[:, :, 0]
    for picture in (grey, grey[:, :, None], Image.fromarray(grey)):
        np.testing.assert_array_equal(
            to_image(picture, "it"), np.repeat(grey[:, :, None] / np.float32(255), 3, axis=2)
        )


def test_pillows_pictures_are_read_as_files_are(tmp_path: Path) -> None:
    """The camera's orientation, 16 bits, palettes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000).save(tmp_path / "deep.png")
    Image.fromarray(RGB).quantize(4).save(tmp_path / "few.png")
    for name in ("turned", "deep", "few"):
        path = tmp_path / f"{name}.png"
        np.testing.assert_array_equal(to_image(Image.open(path), "it"), load_image(path))


@pytest.mark.parametrize(
    ("array", "fault"),
    [
        (RGB.astype(np.float32), "floats from .* to 2[0-9.]+: expected 0 to 1"),
        (RGB / 255.0 - 0.5, "floats from -0.5 to .*: expected 0 to 1"),
        (np.full((2, 2, 3), np.nan), "floats from nan to nan"),
        (RGB.astype(np.int32), "int32: expected uint8, or floats"),
        (RGB.astype(np.uint16), "uint16"),
        (RGB.transpose(2, 0, 1), r"shape \(3, 5, 7\) is no picture: .*transpose\(1, 2, 0\)"),
        (RGB[:, :, :2], r"shape \(5, 7, 2\) is no picture"),
        (RGB[:0], r"shape \(0, 7, 3\) is no picture"),
        (RGB[0, 0], r"shape \(3,\) is no picture"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, fault: str) -> None:
    with pytest.raises(
        PictureError, match=f"^it: an array of {fault.removeprefix('an array of ')}"
    ):
        to_image(array, "it")


def test_one_or_several(tmp_path: Path) -> None:
    picture = Image.fromarray(RGB)
    several: list[Given] = ["a", tmp_path]
    assert list(each_picture("dog.png")) == ["dog.png"]
    assert list(each_picture(tmp_path)) == [tmp_path]
    assert list(each_picture(picture)) == [picture]
    assert [each.shape for each in each_picture(RGB)] == [(5, 7, 3)]  # type: ignore[union-attr]
    assert [each.shape for each in each_picture(np.stack([RGB, RGB]))] == 2 * [(5, 7, 3)]  # type: ignore[union-attr]
    assert list(each_picture(iter(several))) == several
    assert list(each_picture([])) == []


def test_what_a_picture_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    assert name_of(path, 3) == name_of(str(path), 3) == str(path)
    with Image.open(path) as picture:
        assert name_of(picture, 3) == str(path)
    assert name_of(RGB, 3) == name_of(Image.fromarray(RGB), 3) == "picture 3"


@pytest.mark.parametrize("given", [b"a.png", None, 3, [["a.png"]], [[0.5, 0.5]]])
def test_what_is_no_picture_is_refused_by_name(given: object) -> None:
    with pytest.raises(PictureError, match="is no picture: expected a name, a Pillow picture"):
        [name_of(each, 1) for each in each_picture(given)]  # type: ignore[arg-type]
