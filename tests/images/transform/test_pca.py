from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.images.dataset.store import Store
from darknet_py.images.transform.pca import principal_components


def store_of(folder: Path, colours: np.ndarray) -> Store:
    """One picture for each (h, w, 3) array of bytes."""
    paths = [folder / f"{index}.png" for index in range(len(colours))]
    for path, pixels in zip(paths, colours, strict=True):
        Image.fromarray(pixels).save(path)
    return Store(paths)


def test_what_differs_most_is_the_longest_component(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    light = rng.normal(120, 30, (5, 40, 30, 1)) + rng.normal(0, 4, (5, 40, 30, 3))
    colours = np.clip(light, 0, 255).astype(np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 5, seed=0)
    lengths = np.linalg.norm(components, axis=0)
    assert lengths[2] == pytest.approx(30 * np.sqrt(3) / 255, rel=0.1)
    assert lengths[:2] == pytest.approx(4 / 255, rel=0.2)
    assert components[:, 2] / lengths[2] == pytest.approx(1 / np.sqrt(3), abs=0.02)


def test_they_are_the_pixels_covariance(tmp_path: Path) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 3, seed=0)
    pixels = colours.reshape(-1, 3) / 255
    np.testing.assert_allclose(components @ components.T, np.cov(pixels.T, bias=True), atol=1e-6)
    assert (components.max(axis=0) >= -components.min(axis=0)).all()


def test_pictures_of_one_colour_have_none(tmp_path: Path) -> None:
    colours = np.full((2, 3, 3, 3), 77, np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 2, seed=0)
    assert components == pytest.approx(np.zeros((3, 3)), abs=1e-6)


def test_a_sample_of_many_pictures_that_the_seed_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darknet_py.images.transform.pca._PICTURES", 2)
    colours = np.random.default_rng(6).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)
    store = store_of(tmp_path, colours)
    looked_at: list[int] = []
    get = store.get

    def record(index: int) -> np.ndarray:
        looked_at.append(index)
        return get(index)

    monkeypatch.setattr(store, "get", record)
    first = principal_components(store.get, 9, seed=0)
    assert len(looked_at) == 2
    assert np.array_equal(first, principal_components(store.get, 9, seed=0))
    assert looked_at[:2] == looked_at[2:]
    assert not np.array_equal(first, principal_components(store.get, 9, seed=1))


def test_large_pictures_are_thinned_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.images.transform.pca._PIXELS", 4)
    colours = np.zeros((1, 1, 8, 3), np.uint8)
    colours[0, 0, ::2] = 255
    store = store_of(tmp_path, colours)
    # every second pixel is white, and only those are looked at
    assert principal_components(store.get, 1, seed=0) == pytest.approx(np.zeros((3, 3)), abs=1e-6)
