from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import Dataset, load_image, scan
from darknet_py.images.dataset import unreadable as refusals_module
from tests.images.pictures import files
from tests.images.sets import make_dataset, make_picture


def dataset(*paths: Path) -> Dataset:
    return Dataset(("any",), list(paths), [(0,)] * len(paths))


def cut_short(path: Path) -> Path:
    make_picture(path, 60, 60)
    path.write_bytes(path.read_bytes()[:-400])
    return path


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize("workers", [1, 3, None])
def test_bad_pictures_are_named_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decode: bool, workers: int | None
) -> None:
    monkeypatch.setattr(refusals_module, "_TASK", 2)
    good = make_dataset(tmp_path).paths
    text, empty = tmp_path / "text.png", tmp_path / "empty.jpg"
    text.write_text("<html>no</html>")
    empty.touch()
    paths = [good[0], text, *good[1:6], tmp_path / "no.png", empty, good[6], tmp_path]
    refusals = scan(dataset(*paths), decode, workers)
    assert [refusal.picture for refusal in refusals] == [1, 7, 8, 10]
    for refusal in refusals:
        assert isinstance(refusal.error, PictureError)
        # what loading it would say
        with pytest.raises(PictureError) as caught:
            load_image(paths[refusal.picture])
        assert str(refusal.error) == str(caught.value)
    assert not any(thread.name.startswith("darknet-scan") for thread in threading.enumerate())


def test_a_picture_cut_short_is_found_by_decoding(tmp_path: Path) -> None:
    pictures = dataset(cut_short(tmp_path / "short.jpg"), make_picture(tmp_path / "good.jpg"))
    assert scan(pictures, decode=False) == []
    (refusal,) = scan(pictures)
    assert refusal.picture == 0
    assert "cut short" in str(refusal.error)


def test_pictures_of_every_kind_pass(tmp_path: Path) -> None:
    paths = []
    for name, content in files().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    expected = [refusal.picture for refusal in scan(dataset(*paths), decode=True)]
    assert [refusal.picture for refusal in scan(dataset(*paths), decode=False)] == expected == []


def test_without_decoding_nothing_good_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise AssertionError(path)

    monkeypatch.setattr(refusals_module, "load_pixels", refuse)
    assert scan(make_dataset(tmp_path), decode=False) == []


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "tif", "webp", "ppm"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_every_kind_that_is_cut_short_is_what_loading_says(
    tmp_path: Path, suffix: str, kept: float
) -> None:
    """A quick look finds what decoding finds: no more and no less."""
    path = make_picture(tmp_path / f"a.{suffix}", 120, 90)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    said = []
    try:
        load_image(path)
    except PictureError as error:
        said = [str(error)]
    assert [str(refusal.error) for refusal in scan(dataset(path))] == said


def test_how_far_it_is_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals_module, "_TASK", 4)
    told: list[int] = []
    scan(make_dataset(tmp_path), show=told.append)
    assert told == [4, 8, 10]


def test_a_picture_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.images.io.decode.MAX_PIXELS", 99)
    small, large = make_picture(tmp_path / "s.png", 9, 11), make_picture(tmp_path / "l.png", 10, 10)
    (refusal,) = scan(dataset(small, large))
    assert str(refusal.error).startswith(f"{large}: 10x10 has more than 99 pixels")


@pytest.mark.parametrize("decode", [False, True])
def test_a_picture_that_there_is_no_memory_for_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decode: bool
) -> None:
    path = make_picture(tmp_path / "a.png", 9, 9)
    monkeypatch.setattr("darknet_py.images.io.decode.SMALL", 0)
    monkeypatch.setattr("darknet_py.images.io.decode.available_memory", lambda: 1000)
    (refusal,) = scan(dataset(path), decode)
    assert "9x9 needs about" in str(refusal.error)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    (refusal,) = scan(dataset(make_picture(tmp_path / "bomb.png", 9, 9)))
    assert "pixels" in str(refusal.error)


def test_only_kinds_that_are_read_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.ico"
    Image.new("RGB", (16, 16)).save(path)
    (refusal,) = scan(dataset(path))
    assert "is not a picture of a kind that is read" in str(refusal.error)


def test_pixels_of_a_kind_that_is_not_read_are_found_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.new("RGB", (4, 4)).convert("LAB").save(path)
    for decode in (False, True):
        (refusal,) = scan(dataset(path), decode)
        assert str(refusal.error).startswith(f"{path}: pixels of the kind LAB are not read")


@pytest.mark.parametrize("values", [[-1.0, 0.5], [0.5, 2.0], [float("nan"), 0.0]])
def test_values_without_a_reading_are_found_by_decoding(
    tmp_path: Path, values: list[float]
) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([values], np.float32)).save(path)
    (refusal,) = scan(dataset(path))
    with pytest.raises(PictureError) as caught:
        load_image(path)
    assert str(refusal.error) == str(caught.value)
    assert "are not in 0 to 1" in str(refusal.error)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (refusal,) = scan(dataset(tmp_path / "pipe.png"))
    assert "is not a regular file" in str(refusal.error)


def test_no_pictures_no_refusals() -> None:
    assert scan(dataset()) == []
