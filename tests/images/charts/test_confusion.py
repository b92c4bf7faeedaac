from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from darknet_py.images import draw_confusion
from darknet_py.images.charts.drawing import FRAME, GRID
from tests.images.paint import check_picture, edges_are_white, where
from tests.images.pictures import Floats

DARK = (8, 48, 107)
WHITE = (255, 255, 255)


def matrix_of(picture: Floats, k: int) -> Floats:
    """The square within the frame, its cells' sides a whole number of pixels."""
    framed = where(picture, FRAME)
    left = int(framed.sum(axis=0).argmax())
    top = next(y for y in range(len(framed)) if framed[y : y + k, left].all())
    side = int(framed[top, left:].argmin()) - 2
    assert side % k == 0
    assert framed[top : top + side + 2, left].all()
    assert framed[top + side + 1, left : left + side + 2].all()
    return picture[top + 1 : top + 1 + side, left + 1 : left + 1 + side]


def shades(picture: Floats, k: int) -> Floats:
    """The colour of each cell (k, k, 3), from beside its edge, where no count stands."""
    square = matrix_of(picture, k)
    cell = len(square) // k
    at = np.arange(k) * cell + min(3, cell // 2)
    return square[at[:, None], at]


def test_dark_is_more() -> None:
    matrix = np.array([[9, 1, 0], [0, 50, 50], [0, 0, 7]])
    shown = shades(draw_confusion(matrix, ["a", "b", "c"]), 3)
    assert where(shown, DARK).tolist() == [[False] * 3, [False] * 3, [False, False, True]]
    assert where(shown, WHITE).tolist() == [
        [False, False, True],
        [True, False, False],
        [True, True, False],
    ]
    grey = shown.mean(axis=2)
    assert grey[2, 2] < grey[0, 0] < grey[1, 1] < grey[0, 1] < 1
    assert grey[1, 1] == grey[1, 2]  # Each row is compared with itself.


def test_rows_are_the_true_classes() -> None:
    matrix = np.zeros((4, 4), int)
    matrix[1, 3] = 5
    shown = where(shades(draw_confusion(matrix, list("abcd")), 4), DARK)
    assert np.argwhere(shown).tolist() == [[1, 3]]


def test_counts_are_written_only_where_there_are_some() -> None:
    matrix = np.array([[0, 8], [123, 0]])
    square = matrix_of(draw_confusion(matrix, ["a", "b"]), 2)
    cell = len(square) // 2
    inner = slice(2, cell - 2)
    counted = [
        [len(np.unique(square[y:, x:][inner, inner].reshape(-1, 3), axis=0)) > 1 for x in (0, cell)]
        for y in (0, cell)
    ]
    assert counted == [[False, True], [True, False]]


def test_large_counts_widen_their_cells() -> None:
    small = draw_confusion(np.eye(3, dtype=int), list("abc"))
    large = draw_confusion(np.eye(3, dtype=int) * 10**12, list("abc"))
    assert len(matrix_of(large, 3)) > len(matrix_of(small, 3)) + 100
    assert edges_are_white(large)


@pytest.mark.parametrize(("k", "side"), [(20, 44 * 20), (50, 1000), (76, 988), (300, 900)])
def test_cells_shrink_to_keep_the_picture_small(k: int, side: int) -> None:
    picture = draw_confusion(np.eye(k, dtype=int), [str(i) for i in range(k)])
    assert matrix_of(picture, k).shape == (side, side, 3)
    assert max(picture.shape) < 1300
    assert edges_are_white(picture)


def test_a_thousand_classes_have_a_pixel_each() -> None:
    matrix = np.eye(1000, dtype=int)
    matrix[3, 3], matrix[3, 700] = 0, 1
    picture = draw_confusion(matrix, ["a name"] * 1000)
    square = matrix_of(picture, 1000)
    assert np.array_equal(where(square, DARK), matrix == 1)
    assert np.array_equal(where(square, WHITE), matrix == 0)
    assert max(picture.shape) < 1300


def test_short_names_read_from_left_to_right_and_long_ones_upwards() -> None:
    short = draw_confusion(np.eye(3, dtype=int), ["cat", "dog", "bee"])
    long = draw_confusion(np.eye(3, dtype=int), ["cat", "a longer name", "bee"])
    longest = draw_confusion(np.eye(3, dtype=int), ["cat", "endless " * 99, "bee"])
    assert short.shape[0] + 40 < long.shape[0] < longest.shape[0] < short.shape[0] + 200
    for picture in (short, long, longest):
        assert edges_are_white(picture)


def test_the_scale_shows_every_shade() -> None:
    picture = draw_confusion(np.ones((2, 2), int), ["a", "b"])
    below = picture[-60:]
    assert where(below, DARK).any()
    row = below[int(np.argmax(where(below, DARK).any(axis=1)))].mean(axis=1)
    left, right = np.flatnonzero(where(below, FRAME).any(axis=0))[[0, -1]]
    assert right - left > 200
    assert (np.diff(row[left + 1 : right]) <= 0).all()


def test_only_large_cells_have_lines_between() -> None:
    few = draw_confusion(np.eye(10, dtype=int), list("abcdefghij"))
    many = draw_confusion(np.eye(200, dtype=int), [""] * 200)
    assert where(matrix_of(few, 10), GRID).any()
    assert not where(matrix_of(many, 200), GRID).any()


def test_a_class_without_pictures_is_a_white_row() -> None:
    matrix = np.array([[4, 1], [0, 0]])
    shown = shades(draw_confusion(matrix, ["a", "b"]), 2)
    assert where(shown, WHITE).tolist() == [[False, False], [True, True]]


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(
            arrays.arrays(
                st.sampled_from([np.int64, np.uint8, np.uint64]),
                (k, k),
                elements=st.integers(0, 255),
            ),
            st.lists(st.text(max_size=40), min_size=k, max_size=k),
        )
    )
)
def test_any_counts_and_names_make_a_picture(
    drawn: tuple[np.ndarray, list[str]],
) -> None:
    picture = draw_confusion(*drawn)
    check_picture(picture, *picture.shape[:2])
    assert edges_are_white(picture)
    matrix_of(picture, len(drawn[1]))


def test_the_largest_counts_do_not_overflow() -> None:
    matrix = np.full((2, 2), np.iinfo(np.int64).max)
    shown = shades(draw_confusion(matrix, ["a", "b"]), 2)
    assert (shown == shown[0, 0]).all()


def test_mistakes_are_named() -> None:
    for wrong in (np.zeros((2, 3), int), np.zeros((0, 0), int), np.eye(2), np.array(3)):
        with pytest.raises(ValueError, match="is not a matrix"):
            draw_confusion(wrong, ["a", "b"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="below 0"):
        draw_confusion(np.array([[1, -1], [0, 0]]), ["a", "b"])
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        draw_confusion(np.eye(2, dtype=int), ["a"])
