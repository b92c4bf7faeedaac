from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import check_animation, save_animation

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
