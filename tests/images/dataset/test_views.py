from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import PictureError
from darknet_py.images import Views, file_digest, fit_image, load_image
from tests.images.sets import EVERYTHING, PLAIN, make_picture

NO_PCA = replace(EVERYTHING, pca=0)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [make_picture(tmp_path / f"{seed}.png", 12, 10, seed) for seed in range(7)]


def all_views(paths: list[Path], views: Views) -> np.ndarray:
    return np.stack([views.make(index, file_digest(path)) for index, path in enumerate(paths)])


def test_the_fitted_view(paths: list[Path]) -> None:
    found = all_views(paths, Views(paths, 8, 8, 3, 1, None))
    expected = [fit_image(load_image(path), 8, 8, "crop").transpose(2, 0, 1) for path in paths]
    np.testing.assert_array_equal(found[:, 0], expected)


def test_views_differ_and_are_always_the_same(paths: list[Path]) -> None:
    found = all_views(paths, Views(paths, 8, 8, 3, 3, NO_PCA, seed=1, workers=3))
    assert found.shape == (7, 3, 3, 8, 8)
    assert len({view.tobytes() for picture in found for view in picture}) == 21
    again = all_views(paths, Views(paths, 8, 8, 3, 3, NO_PCA, seed=1, workers=1))
    np.testing.assert_array_equal(found, again)
    other = all_views(paths, Views(paths, 8, 8, 3, 3, NO_PCA, seed=2))
    assert not np.array_equal(found, other)


def test_neither_place_nor_name_matters(paths: list[Path], tmp_path: Path) -> None:
    found = all_views(paths, Views(paths, 8, 8, 3, 2, NO_PCA))
    moved = [path.rename(tmp_path / f"x{path.name}") for path in reversed(paths)]
    again = all_views(moved, Views(moved, 8, 8, 3, 2, NO_PCA))
    np.testing.assert_array_equal(found, again[::-1])
    # more views are the same ones and others
    more = all_views(moved, Views(moved, 8, 8, 3, 4, NO_PCA))
    np.testing.assert_array_equal(more[:, :2], again)


def test_the_description_tells_views_apart(paths: list[Path]) -> None:
    views = [
        Views(paths, 8, 8, 3, 1, None),
        Views(paths, 8, 8, 1, 1, None),
        Views(paths, 8, 9, 3, 1, None),
        Views(paths, 8, 8, 3, 1, PLAIN),
        Views(paths, 8, 8, 3, 2, PLAIN),
        Views(paths, 8, 8, 3, 2, PLAIN, seed=1),
        Views(paths, 8, 8, 3, 2, NO_PCA),
        Views(paths, 8, 8, 3, 2, EVERYTHING),
        Views(paths[1:], 8, 8, 3, 2, EVERYTHING),
    ]
    assert len({each.describe() for each in views}) == len(views)
    assert Views(paths[1:], 8, 8, 3, 1, None, seed=3).describe() == views[0].describe()


def test_a_bad_picture_is_named(paths: list[Path]) -> None:
    paths[3].write_bytes(b"no picture")
    views = Views(paths, 8, 8, 3, 1, None)
    made = list(views.stream(range(7), [b""] * 7))
    assert isinstance(made[3], PictureError)
    assert str(made[3]).startswith(f"{paths[3]}: is not a picture")
    assert [index for index, each in enumerate(made) if isinstance(each, PictureError)] == [3]


def test_what_cannot_be(paths: list[Path]) -> None:
    with pytest.raises(ValueError, match="2 views"):
        Views(paths, 8, 8, 3, 2, None)
    with pytest.raises(ValueError, match="0 views"):
        Views(paths, 8, 8, 3, 0, PLAIN)
