"""None"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import Dataset, load_image, scan
from darknet_py.images.dataset import readable
from darknet_py.images.dataset.readable import Store, default_memory, in_threads
from darknet_py.images.io.image import load_pixels, to_float
from tests.images.pictures import files
from tests.images.sets import make_dataset, make_picture


def test_in_order_whoever_is_first() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number < 2 else 0)
        return number * number

    assert list(in_threads(slow_at_first, range(20), workers=4)) == [n * n for n in range(20)]


def test_an_error_ends_it_and_leaves_no_thread() -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise OSError("three")
        return number

    before = threading.active_count()
    results = in_threads(fail_at_three, range(10_000), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="three"):
        next(results)
    assert threading.active_count() == before


def test_closed_early_the_rest_is_dropped() -> None:
    begun = []

    def note(number: int) -> int:
        begun.append(number)
        time.sleep(0.002)
        return number

    results = in_threads(note, range(10_000), workers=2)
    assert next(results) == 0
    results.close()
    assert len(begun) < 1000


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
    monkeypatch.setattr(readable, "_TASK", 2)
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

    monkeypatch.setattr(readable, "load_pixels", refuse)
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
    monkeypatch.setattr(readable, "_TASK", 4)
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


SIZE = 9 * 7 * 3


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [make_picture(tmp_path / f"{index}.png", seed=index) for index in range(4)]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded."""
    loaded: list[Path] = []

    def load(path: Path) -> np.ndarray:
        loaded.append(path)
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", load)
    return loaded


def test_pictures_are_bytes_and_come_back_as_they_were_loaded(paths: list[Path]) -> None:
    store = Store(paths)
    for _ in range(2):
        picture = store.get(2)
        assert picture.dtype == np.uint8
        assert np.array_equal(to_float(picture), load_image(paths[2]))


def test_a_picture_of_more_than_8_bits_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4) * 1234).save(path)
    store = Store([path])
    for _ in range(2):
        assert np.array_equal(to_float(store.get(0)), load_image(path))


def test_each_is_decoded_once(paths: list[Path], loads: list[Path]) -> None:
    store = Store(paths)
    for index in (0, 1, 2, 3, 0, 1, 2, 3):
        store.get(index)
    assert loads == paths


def test_the_first_stay_and_the_rest_is_decoded_again(paths: list[Path], loads: list[Path]) -> None:
    store = Store(paths, memory=2 * SIZE)
    for index in (0, 1, 2, 3, 2, 1, 0):
        store.get(index)
    assert loads == [*paths, paths[2]]


def test_nothing_is_kept_without_memory(paths: list[Path], loads: list[Path]) -> None:
    store = Store(paths, memory=SIZE - 1)
    assert np.array_equal(store.get(1), store.get(1))
    assert loads == [paths[1]] * 2


def test_a_picture_that_two_threads_ask_for_counts_once(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []

    def load(path: Path) -> np.ndarray:
        loads.append(path)
        time.sleep(0.05)  # so that the other one asks meanwhile
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", load)
    store = Store(paths, memory=2 * SIZE)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(store.get, [0, 0])
    assert one is other
    assert loads == [paths[0]]
    assert store.get(1) is store.get(1)


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.png"
    with pytest.raises(PictureError) as caught:
        Store([path]).get(0)
    assert str(caught.value).startswith(f"{path}: no such file")


@pytest.mark.parametrize(
    ("pages", "expected"), [(2**18, 2**28), (2**30, 2**30), (-1, 2**30)], ids=["small", "big", "?"]
)
def test_default_memory(monkeypatch: pytest.MonkeyPatch, pages: int, expected: int) -> None:
    monkeypatch.setattr(
        os, "sysconf", lambda name: {"SC_PHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}[name]
    )
    assert default_memory() == expected


def test_default_memory_where_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sysconf")
    assert default_memory() == 1 << 30
