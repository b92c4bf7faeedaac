from __future__ import annotations

import math
import warnings
from itertools import combinations

import numpy as np
import pytest

from darknet_py.images.draw import boxes as module
from darknet_py.images.draw.boxes import (
    Labelled,
    class_color,
    clip_box,
    cut_box,
    draw_boxes,
    letter_size,
    line_width,
    text_color,
)

NAN, INF = math.nan, math.inf


def grey(w: int, h: int, value: int = 90) -> np.ndarray:
    return np.full((h, w, 3), value, np.uint8)


def is_color(picture: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    same: np.ndarray = (picture == color).all(axis=2)
    return same


def test_a_box_is_where_it_was_given() -> None:
    before = grey(400, 300)
    picture = draw_boxes(before, [Labelled(3, "", (100, 80, 120, 60))])
    line = line_width(400, 300)
    assert line == 2
    ys, xs = np.nonzero(is_color(picture, class_color(3)))
    assert (xs.min(), xs.max() + 1, ys.min(), ys.max() + 1) == (100, 220, 80, 140)
    # an edge around it and along its inside, and nothing else is touched
    ys, xs = np.nonzero((picture != before).any(axis=2))
    assert (xs.min(), xs.max() + 1, ys.min(), ys.max() + 1) == (99, 221, 79, 141)
    assert (picture[80 + line + 1 : 140 - line - 1, 100 + line + 1 : 220 - line - 1] == 90).all()
    assert (picture[110, 100 - 1] == text_color(class_color(3))).all()
    assert (before == 90).all()


@pytest.mark.parametrize("value", [0, 255])
def test_a_label_can_be_read_on_black_and_on_white(value: int) -> None:
    for index in range(12):
        picture = draw_boxes(
            grey(400, 300, value), [Labelled(index, "dog 97%", (60, 100, 200, 90))]
        )
        label = is_color(picture[70:100], class_color(index)).sum()
        letters = is_color(picture[70:100, 60:160], text_color(class_color(index))).sum()
        assert label > 400, index
        assert letters > 20, index


def test_letters_contrast_with_their_label() -> None:
    def luminance(color: tuple[int, int, int]) -> float:
        c = np.array(color) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for index in range(200):
        low, high = sorted(
            luminance(c) for c in (class_color(index), text_color(class_color(index)))
        )
        assert (high + 0.05) / (low + 0.05) > 4.5


def test_colours_are_distinct_and_stable() -> None:
    colors = [class_color(index) for index in range(80)]
    assert len(set(colors)) == 80
    assert colors == [class_color(index) for index in range(80)]
    for one, other in combinations(colors[:12], 2):
        assert np.abs(np.subtract(one, other)).max() > 40


def test_lines_and_letters_grow_with_the_picture() -> None:
    sizes = [(16, 16), (320, 240), (1280, 960), (6000, 4000), (60000, 40000)]
    widths, letters = [line_width(*s) for s in sizes], [letter_size(*s) for s in sizes]
    assert widths == sorted(widths)
    assert widths[0] == 1
    assert widths[3] > 20
    assert letters == sorted(letters)
    assert letters[0] == 11
    assert letters[-1] == 120


def places(
    monkeypatch: pytest.MonkeyPatch, image: np.ndarray, boxes: list[Labelled]
) -> list[tuple[int, int, int, int]]:
    """Where the labels stand."""
    found = []
    best = module._best_place

    def noted(*arguments: object) -> tuple[int, int, int, int]:
        found.append(best(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(module, "_best_place", noted)
    draw_boxes(image, boxes)
    return found


def test_labels_are_within_the_picture_and_beside_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    boxes = [
        Labelled(i, f"class {i} {rng.integers(100)}%", (*rng.integers(-20, 300, 2), 80, 60))
        for i in range(20)
    ]
    boxes += [Labelled(i, "the same place", (200 + i, 150, 100, 80)) for i in range(6)]
    found = places(monkeypatch, grey(640, 480), boxes)
    assert len(found) == 26
    for left, top, right, bottom in found:
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 480
    assert not any(module._shared(*pair) for pair in combinations(found, 2))


def test_where_there_is_no_room_labels_still_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [Labelled(i, "a long name of a class", (5 + i, 5, 50, 40)) for i in range(30)]
    found = places(monkeypatch, grey(64, 60), boxes)
    assert len(found) == 30
    assert all(p[0] >= 0 and p[2] <= 64 and p[1] >= 0 and p[3] <= 60 for p in found)


def test_a_box_of_several_classes_has_one_label(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def shorten(text: str, *_: object) -> str:
        texts.append(text)
        return text

    monkeypatch.setattr(module, "shorten", shorten)
    box = (40.0, 40.0, 100.0, 100.0)
    draw_boxes(grey(300, 300), [Labelled(1, "dog 80%", box), Labelled(2, "cat 60%", box)])
    assert texts == ["dog 80%, cat 60%"]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16), (40, 1), (1, 90), (33, 41)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    picture = draw_boxes(grey(*size), [Labelled(0, "dog 50%", (0, 0, *size))])
    assert picture.shape == (size[1], size[0], 3)
    assert is_color(picture, class_color(0)).any()


@pytest.mark.parametrize(
    "box",
    [
        *((NAN, 1, 5, 5), (1, NAN, 5, 5), (1, 1, NAN, 5), (1, 1, 5, NAN), (INF, 1, 5, 5)),
        *((-INF, 1, INF, 5), (1, INF, 5, 5), (100, 1, 5, 5), (1, 100, 5, 5), (-9, 1, 5, 5)),
        *((1, 1, 0, 5), (1, 1, 5, -5), (1e30, 1e30, 1e30, 1e30), (-1e38, 1, 5, 5)),
    ],
)
def test_what_is_not_on_the_picture_is_left_out(box: tuple[float, float, float, float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clip_box(box, 100, 100) is None
        picture = draw_boxes(grey(100, 100), [Labelled(0, "dog", box)])
        assert (picture == 90).all()
        assert cut_box(picture, box) is None
        numbers = tuple(np.float32(each) for each in box)
        assert clip_box(numbers, 100, 100) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((-10, -10, 30, 40), (0, 0, 20, 30)),
        ((90.6, 80.2, 50, 50), (90, 80, 100, 100)),
        ((-1e30, -1e30, 2e30, 2e30), (0, 0, 100, 100)),
        ((10, 20, INF, INF), (10, 20, 100, 100)),
        ((50.2, 50.2, 0.1, 0.1), (50, 50, 51, 51)),
        ((99.99, 99.99, 5, 5), (99, 99, 100, 100)),
    ],
)
def test_boxes_are_clipped(
    box: tuple[float, float, float, float], cut: tuple[int, int, int, int]
) -> None:
    assert clip_box(box, 100, 100) == cut
    part = cut_box(grey(100, 100), box)
    assert part is not None
    assert part.shape == (cut[3] - cut[1], cut[2] - cut[0], 3)
    assert is_color(draw_boxes(grey(100, 100), [Labelled(0, "dog", box)]), class_color(0)).any()


def test_floats_are_taken_too() -> None:
    picture = draw_boxes(np.full((50, 60, 3), 0.5, np.float32), [])
    assert picture.dtype == np.uint8
    assert (picture == 128).all()
