from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images.charts.drawing import GRID, PALETTE, lighten, new_canvas, to_picture
from darknet_py.images.charts.pen import SAMPLE_WIDTH, Style, pen, styles
from tests.images.paint import where

BLUE = PALETTE[0]


def test_lines_differ_in_colour_and_in_dashes() -> None:
    looks = styles([False] * 4, [False] * 4)
    assert [look.color for look in looks] == list(PALETTE[:4])
    assert len({look.dashes for look in looks}) == 4
    assert looks[0].dashes == ()


def test_dotted_lines_differ_in_colour_and_in_marks() -> None:
    looks = styles([False] * 4, [True] * 4)
    assert len({look.color for look in looks}) == 4
    assert [look.mark for look in looks] == [0, 1, 2, 3]
    assert all(look.dashes == () for look in looks)


def test_a_faint_line_is_a_paler_one_of_the_next() -> None:
    raw, line, other_raw, other = styles([True, False, True, False], [False] * 4)
    assert line == Style(PALETTE[0], line.width, (), None)
    assert raw == Style(lighten(PALETTE[0], 0.6), 1, (), None)
    assert raw.width < line.width
    assert other_raw.color == lighten(other.color, 0.6)


def test_thirty_five_lines_are_told_apart() -> None:
    looks = styles([False] * 35, [False] * 35)
    assert len(set(looks)) == 35


def test_an_unused_pen_leaves_the_canvas_as_it_was() -> None:
    canvas = new_canvas(40, 30)
    canvas.putpixel((7, 9), (1, 2, 3))
    before = to_picture(canvas)
    with pen(canvas):
        pass
    assert np.array_equal(to_picture(canvas), before)


def test_a_line_is_as_wide_as_it_says() -> None:
    canvas = new_canvas(40, 30)
    with pen(canvas) as fine:
        fine.path(np.array([(5.0, 10), (35, 10)]), Style(BLUE, 2.2, (), None))
    painted = where(to_picture(canvas), BLUE)
    assert set(np.flatnonzero(painted.any(axis=1))) <= {9, 10}
    assert painted[:, 6:34].any(axis=0).all()
    assert not painted[:, :4].any()
    assert not painted[:, 36:].any()


def test_a_sloping_line_has_soft_edges() -> None:
    canvas = new_canvas(40, 30)
    with pen(canvas) as fine:
        fine.path(np.array([(5.0, 5), (35, 22)]), Style((0, 0, 0), 2, (), None))
    assert len(np.unique(to_picture(canvas))) > 5


def test_dashes_leave_paper_between() -> None:
    canvas = new_canvas(80, 20)
    with pen(canvas) as fine:
        fine.path(np.array([(10.0, 10), (70, 10)]), Style(BLUE, 2, (9, 4), None))
    along = where(to_picture(canvas), BLUE).any(axis=0)
    assert np.count_nonzero(np.diff(along.astype(int)) == 1) == 5


@pytest.mark.parametrize("mark", range(4))
def test_marks_lie_on_their_points(mark: int) -> None:
    canvas = new_canvas(80, 40)
    with pen(canvas) as fine:
        fine.path(np.array([(20.5, 10.5), (60.5, 30.5)]), Style(BLUE, 2, (), mark))
    painted = where(to_picture(canvas), BLUE)
    for x, y in ((20, 10), (60, 30)):
        assert painted[y - 2 : y + 3, x - 1 : x + 2].all()
        assert not painted[y - 7 : y - 5, x - 7 : x + 8].any()


def test_a_point_alone_is_seen() -> None:
    canvas = new_canvas(20, 20)
    with pen(canvas) as fine:
        fine.path(np.array([(10.5, 10.5)]), Style(BLUE, 2, (3, 3), None))
    rows, columns = np.where(where(to_picture(canvas), BLUE))
    assert len(rows) >= 9
    assert (rows.mean(), columns.mean()) == (10, 10)


def test_a_sample_has_its_width() -> None:
    canvas = new_canvas(60, 20)
    with pen(canvas) as fine:
        fine.sample(10, 10, Style(GRID, 2, (), 1))
    columns = np.flatnonzero(where(to_picture(canvas), GRID).any(axis=0))
    assert abs(columns[0] - 10) <= 1
    assert abs(columns[-1] - (9 + SAMPLE_WIDTH)) <= 1
