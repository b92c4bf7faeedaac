from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import PictureError
from darknet_py.images import load_image
from darknet_py.images.dataset import store as store_module
from darknet_py.images.dataset.store import Store, default_memory
from darknet_py.images.io.image import load_pixels, to_float
from tests.images.sets import make_picture

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

    monkeypatch.setattr(store_module, "load_pixels", load)
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

    monkeypatch.setattr(store_module, "load_pixels", load)
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
