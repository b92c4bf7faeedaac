from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from darknet_py.images.charts.curve import to_dashes, to_paths
from tests.images.pictures import Floats

NAN = float("nan")


def points(*pairs: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.array(pairs, np.float64).T
    return x, y


def as_lists(paths: list[np.ndarray]) -> list[list[list[float]]]:
    return [path.tolist() for path in paths]


def test_few_points_are_the_path() -> None:
    paths = to_paths(*points((0, 5), (10, 3), (25, 9)))
    assert as_lists(paths) == [[[0, 5], [10, 3], [25, 9]]]


def test_points_are_joined_from_left_to_right() -> None:
    paths = to_paths(*points((25, 9), (0, 5), (10, 3)))
    assert as_lists(paths) == [[[0, 5], [10, 3], [25, 9]]]


@pytest.mark.parametrize("gap", [NAN, float("inf"), float("-inf")])
def test_a_gap_tears_the_path(gap: float) -> None:
    paths = to_paths(*points((0, 1), (5, 2), (10, gap), (15, 3)))
    assert as_lists(paths) == [[[0, 1], [5, 2]], [[15, 3]]]


def test_gaps_at_both_ends_and_nothing_else() -> None:
    assert as_lists(to_paths(*points((0, NAN), (5, 2), (9, NAN)))) == [[[5, 2]]]
    assert to_paths(*points((0, NAN), (5, NAN))) == []
    assert to_paths(np.empty(0), np.empty(0)) == []


def test_a_point_without_a_place_is_left_out() -> None:
    paths = to_paths(*points((0, 1), (NAN, 7), (5, 2), (float("inf"), 3)))
    assert as_lists(paths) == [[[0, 1], [5, 2]]]


def test_a_column_keeps_its_ends_and_extremes() -> None:
    x = np.linspace(3.1, 3.9, 5)
    (rising,) = to_paths(x, np.array([5.0, 9, 0, 7, 6]))
    assert rising[:, 1].tolist() == [5, 0, 9, 6]
    (falling,) = to_paths(x, np.array([6.0, 9, 0, 7, 5]))
    assert falling[:, 1].tolist() == [6, 9, 0, 5]


def test_a_gap_within_a_column_is_not_seen() -> None:
    (path,) = to_paths(*points((3.1, 1), (3.4, NAN), (3.8, 2)))
    assert (path[0].tolist(), path[-1].tolist()) == ([3.1, 1], [3.8, 2])


def test_a_million_points_become_few() -> None:
    x = np.linspace(0, 800, 10**6)
    y = np.sin(x) * 100
    (path,) = to_paths(x, y)
    assert len(path) <= 4 * 801
    assert (path[:, 1].min(), path[:, 1].max()) == (y.min(), y.max())


floats = arrays.arrays(np.float64, 20, elements=st.floats(allow_nan=True))
places = arrays.arrays(np.float64, 20, elements=st.floats(-50, 50) | st.just(NAN))


@given(places, floats)
def test_paths_run_to_the_right_and_have_no_gaps(x: Floats, y: Floats) -> None:
    paths = to_paths(x.astype(np.float64), y.astype(np.float64))
    seen = np.isfinite(x) & np.isfinite(y)
    joined = np.concatenate([np.empty((0, 2)), *paths])
    assert np.isfinite(joined).all()
    assert (np.diff(joined[:, 0]) >= 0).all()
    assert set(joined[:, 1]) <= set(y[seen])
    if seen.any():
        assert joined[:, 1].max() == y[seen].max()


def test_dashes_by_hand() -> None:
    path = np.array([(0.0, 0), (10, 0)])
    assert as_lists(to_dashes(path, (3, 2))) == [[[0, 0], [3, 0]], [[5, 0], [8, 0]]]
    around = np.array([(0.0, 0), (2, 0), (2, 5)])
    assert as_lists(to_dashes(around, (3, 2, 1, 1))) == [
        [[0, 0], [2, 0], [2, 1]],
        [[2, 3], [2, 4]],
    ]


def test_the_last_dash_ends_with_the_path() -> None:
    path = np.array([(0.0, 0), (6, 0)])
    assert as_lists(to_dashes(path, (4, 1))) == [[[0, 0], [4, 0]], [[5, 0], [6, 0]]]


def test_what_stays_whole() -> None:
    path = np.array([(0.0, 0), (10, 0)])
    assert as_lists(to_dashes(path, ())) == [path.tolist()]
    assert as_lists(to_dashes(path[:1], (3, 2))) == [path[:1].tolist()]
    noise = np.stack([np.arange(400.0), np.arange(400) % 2 * 300], axis=1)
    assert as_lists(to_dashes(noise, (3, 2))) == [noise.tolist()]
