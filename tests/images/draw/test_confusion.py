from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from darknet_py.images.draw.canvas import Drawing
from darknet_py.images.draw.confusion import MOST_CELLS, confused_pairs, draw_confusion
from tests.images.draw.drawn import boxes, check_texts, texts
from tests.images.paint import check_picture, edges_are_white


def cells(drawing: Drawing) -> np.ndarray:
    """The colour of each cell (k, k, 3), 0..1."""
    drawing.pixels()
    mesh = drawing.figure.axes[0].collections[0]
    k = round(len(mesh.get_facecolor()) ** 0.5)
    return np.asarray(mesh.get_facecolor()).reshape(k, k, 4)[:, :, :3]


def some(k: int, seed: int = 0) -> np.ndarray:
    """Mostly right, with some of each row elsewhere."""
    rng = np.random.default_rng(seed)
    matrix = np.diag(rng.integers(20, 50, k))
    at = rng.integers(0, k, (2, 3 * k))
    np.add.at(matrix, (at[0], at[1]), 1)
    return matrix


def test_dark_is_more() -> None:
    matrix = np.array([[9, 1, 0], [0, 50, 50], [0, 0, 7]])
    grey = cells(draw_confusion(matrix, ["a", "b", "c"])).mean(axis=2)
    assert (grey == 1).tolist() == [
        [False, False, True],
        [True, False, False],
        [True, True, False],
    ]
    assert grey[2, 2] < grey[0, 0] < grey[1, 1] < grey[0, 1] < 1
    assert grey[1, 1] == grey[1, 2]  # Each row is compared with itself.


def test_rows_are_the_true_classes_from_above() -> None:
    matrix = np.zeros((4, 4), int)
    matrix[1, 3], matrix[1, 1] = 5, 2
    drawing = draw_confusion(matrix, ["aa", "bb", "cc", "dd"])
    assert np.argwhere(cells(drawing).min(axis=2) < 1).tolist() == [[1, 1], [1, 3]]
    found = boxes(drawing)
    axes = drawing.figure.axes[0].get_window_extent()
    x, y = (found["5"].x0 + found["5"].x1) / 2, (found["5"].y0 + found["5"].y1) / 2
    assert (x - axes.x0) / axes.width == pytest.approx(3.5 / 4, abs=0.02)
    assert (axes.y1 - y) / axes.height == pytest.approx(1.5 / 4, abs=0.05)


def test_small_matrices_are_large_with_counts_and_shares() -> None:
    drawing = draw_confusion(np.array([[38, 2, 0], [1, 199, 0], [0, 0, 7]]), ["cat", "dog", "bee"])
    axes = drawing.figure.axes[0].get_window_extent()
    assert axes.width >= 400
    assert {"38", "95%", "2", "5.0%", "199", "99%", "0.5%", "7", "100%"} <= set(texts(drawing))
    assert "0" not in texts(drawing)
    assert {"right", "95.0%", "pictures", "40", "200"} <= set(texts(drawing))
    assert "244 of 247 right: 98.8%" in texts(drawing)
    assert boxes(drawing)["199"].height >= 12


def test_letters_are_white_on_dark_cells() -> None:
    drawing = draw_confusion(np.array([[99, 1], [0, 0]]), ["a", "b"])
    colors = {text.get_text(): text.get_color() for text in drawing.figure.texts}
    assert colors["99"] == "white"
    assert colors["1"] != "white"


@pytest.mark.parametrize("k", [1, 2, 3, 10, 20, 30, MOST_CELLS, 300, 1000])
def test_nothing_overlaps(k: int) -> None:
    name = "{}" if k == 20 else "a class whose name is rather long, number {}"
    drawing = draw_confusion(some(k), [name.format(i) for i in range(k)])
    check_texts(drawing)
    w, h = drawing.figure.get_size_inches() * drawing.figure.dpi
    assert max(w, h) < 2000
    if k <= MOST_CELLS:
        shown = [text for text in texts(drawing) if "…" in text or text.isdigit()]
        assert len(shown) >= k


def test_many_classes_are_lists_of_what_is_confused_most() -> None:
    k = 1000
    matrix = np.eye(k, dtype=int) * 50
    matrix[3, 700], matrix[3, 3] = 30, 20
    matrix[5, 6], matrix[5, 5] = 4, 0
    drawing = draw_confusion(matrix, [f"name {i}" for i in range(k)])
    shown = texts(drawing)
    pairs = [text for text in shown if " → " in text and "name" in text]
    assert pairs == ["name 3 → name 700", "name 5 → name 6"]
    assert {"30 of 50, 60%", "4 of 4, 100%"} <= set(shown)
    weakest = shown[shown.index("The classes that are least often right") + 1 :]
    assert weakest == ["name 5", "0 of 4", "name 3", "20 of 50, 40%"]
    bars = [bar.get_width() for bar in drawing.figure.axes[0].patches]
    assert bars == [0.6, 1.0]
    check_texts(drawing)


def test_many_classes_without_mistakes() -> None:
    drawing = draw_confusion(np.eye(300, dtype=int), [str(i) for i in range(300)])
    assert texts(drawing).count("No mistakes") == 2
    check_texts(drawing)


def test_confused_pairs() -> None:
    matrix = np.array([[5, 2, 0], [2, 0, 1], [0, 3, 9]])
    assert confused_pairs(matrix) == [
        (2, 1, 3, 0.25),
        (1, 0, 2, 2 / 3),
        (0, 1, 2, 2 / 7),
        (1, 2, 1, 1 / 3),
    ]
    assert confused_pairs(matrix, 1) == [(2, 1, 3, 0.25)]
    assert confused_pairs(np.eye(3, dtype=int)) == []
    assert matrix[0, 0] == 5


def test_large_counts_widen_their_cells() -> None:
    small = draw_confusion(np.eye(9, dtype=int), list("abcdefghi"))
    large = draw_confusion(np.eye(9, dtype=int) * 10**12, list("abcdefghi"))
    assert large.figure.axes[0].get_window_extent().width > (
        small.figure.axes[0].get_window_extent().width + 100
    )
    check_texts(large)


def test_short_names_read_from_left_to_right_and_long_ones_upwards() -> None:
    short = draw_confusion(np.eye(3, dtype=int), ["cat", "dog", "bee"])
    long = draw_confusion(np.eye(3, dtype=int), ["cat", "a much longer name of a class", "bee"])
    rotations = [
        {text.get_rotation() for text in each.figure.texts if text.get_text() == "cat"}
        for each in (short, long)
    ]
    assert rotations == [{0}, {0, 90}]


def test_names_without_letters_are_numbers_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.images.draw.fonts.is_drawable", str.isascii)
    names = ["猫", "dog", "class 2"]
    shown = texts(draw_confusion(np.eye(3, dtype=int), names))
    assert {"class 0", "dog", "class N: no font here has the letters of its name"} <= set(shown)
    assert not any(
        "N:" in text for text in texts(draw_confusion(np.eye(1, dtype=int), ["class 5"]))
    )


def test_a_class_without_pictures_is_a_white_row() -> None:
    drawing = draw_confusion(np.array([[4, 1], [0, 0]]), ["a", "b"])
    assert (cells(drawing)[1] == 1).all()
    assert "0 of 0 right" in texts(draw_confusion(np.zeros((2, 2), int), ["a", "b"]))


@settings(max_examples=10)
@given(
    st.integers(1, 5).flatmap(
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
def test_any_counts_and_names_make_a_picture(drawn: tuple[np.ndarray, list[str]]) -> None:
    picture = draw_confusion(*drawn).pixels()
    check_picture(picture, *picture.shape[:2])
    assert edges_are_white(picture)


def test_the_largest_counts_do_not_overflow() -> None:
    shown = cells(draw_confusion(np.full((2, 2), np.iinfo(np.int64).max), ["a", "b"]))
    assert (shown == shown[0, 0]).all()


def test_mistakes_are_named() -> None:
    for wrong in (np.zeros((2, 3), int), np.zeros((0, 0), int), np.eye(2), np.array(3)):
        with pytest.raises(ValueError, match="is not a matrix"):
            draw_confusion(wrong, ["a", "b"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="below 0"):
        draw_confusion(np.array([[1, -1], [0, 0]]), ["a", "b"])
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        draw_confusion(np.eye(2, dtype=int), ["a"])
