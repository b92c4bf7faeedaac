from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darknet_py.images import Panel, Series, draw_chart
from darknet_py.images.charts.chart import MIN_HEIGHT, MIN_WIDTH
from darknet_py.images.charts.drawing import FRAME, PALETTE, lighten
from tests.images.paint import check_picture, edges_are_white, where
from tests.images.pictures import Floats

BLUE, ORANGE = PALETTE[:2]
W, H = 400, 240


def panel(*series: Series, **options: Any) -> Panel:
    return Panel("", "x", "y", series, **options)


def draw(*series: Series, **options: Any) -> Floats:
    return draw_chart([panel(*series, **options)], W, H)


def axes(picture: Floats) -> tuple[int, int, int, int]:
    """Left, top, right, bottom: the pixels of both axes."""
    framed = where(picture, FRAME)
    left, bottom = int(framed.sum(axis=0).argmax()), int(framed.sum(axis=1).argmax())
    top, right = np.flatnonzero(framed[:, left])[0], np.flatnonzero(framed[bottom])[-1]
    return left, int(top), int(right), bottom


def heights(picture: Floats, color: tuple[int, int, int]) -> Floats:
    """Of each column the row in which the colour has its middle; NaN where it is not."""
    painted = where(picture, color)
    rows = np.arange(len(picture))[:, None]
    count = painted.sum(axis=0)
    middles = (painted * rows).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, middles, np.nan)


def test_each_panel_has_its_height() -> None:
    check_picture(draw_chart([panel()]), 400, 1000)
    check_picture(draw_chart([panel(), panel(), panel()], 500, 200), 600, 500)


def test_a_rising_line_rises_evenly() -> None:
    picture = draw(Series("", range(50), range(50)))
    left, top, right, bottom = axes(picture)
    rows = heights(picture, BLUE)
    seen = np.flatnonzero(np.isfinite(rows))
    assert len(seen) > 0.6 * (right - left)
    slope, _ = np.polyfit(seen, rows[seen], 1)
    assert slope == pytest.approx(-(bottom - top) / (right - left), rel=0.02)
    np.testing.assert_allclose(rows[seen], np.poly1d(np.polyfit(seen, rows[seen], 1))(seen), atol=1)
    # A margin of the same share on both sides.
    assert left + 8 < seen[0] < left + 20
    assert right - 20 < seen[-1] < right - 8


def test_a_point_has_the_colour_of_its_series() -> None:
    # 0..10 with .4 of room on both sides, so that x and y lie at known shares of the axes.
    x, y = [0.0, 2, 5, 10], [0.0, 7, 3, 10]
    picture = draw(Series("", x, y, dots=True))
    left, top, right, bottom = axes(picture)
    for a, b in zip(x, y, strict=True):
        column = round(left + (a + 0.4) / 10.8 * (right - left))
        row = round(bottom - (b + 0.4) / 10.8 * (bottom - top))
        assert where(picture, BLUE)[row - 1 : row + 2, column - 1 : column + 2].all()


def test_a_logarithm_is_a_straight_line() -> None:
    x = np.arange(50)
    picture = draw(Series("", x, 10.0 ** (x / 10)), log_y=True)
    rows = heights(picture, BLUE)
    seen = np.flatnonzero(np.isfinite(rows))
    np.testing.assert_allclose(rows[seen], np.poly1d(np.polyfit(seen, rows[seen], 1))(seen), atol=1)


def test_powers_are_a_straight_line_by_the_logarithm_of_x() -> None:
    y = np.arange(50)
    picture = draw(Series("", 10.0 ** (y / 10 - 6), y), log_x=True)
    rows = heights(picture, BLUE)
    seen = np.flatnonzero(np.isfinite(rows))
    np.testing.assert_allclose(rows[seen], np.poly1d(np.polyfit(seen, rows[seen], 1))(seen), atol=1)


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
def test_a_gap_stays_white(gap: float) -> None:
    y = [5.0] * 40 + [gap] * 20 + [5.0] * 40
    picture = draw(Series("", range(100), y))
    left, _, right, _ = axes(picture)
    seen = np.isfinite(heights(picture, BLUE))
    room = 0.04 * 99
    at = np.round(left + (np.arange(100) + room) / (99 + 2 * room) * (right - left)).astype(int)
    assert seen[at[1] : at[38]].all()
    assert not seen[at[40] : at[59]].any()
    assert seen[at[61] : at[98]].all()


def test_what_has_no_logarithm_is_a_gap() -> None:
    zero = draw(Series("", [1, 2, 3, 4], [1, 0, 10, 10]), log_y=True)
    gap = draw(Series("", [1, 2, 3, 4], [1, math.nan, 10, 10]), log_y=True)
    assert np.array_equal(zero, gap)


def test_a_constant_is_a_line_in_the_middle() -> None:
    picture = draw(Series("", range(9), [0.3] * 9))
    left, top, right, bottom = axes(picture)
    rows = heights(picture, BLUE)
    assert np.nanmin(rows) == pytest.approx((top + bottom) / 2, abs=1.5)
    assert np.nanmax(rows) == np.nanmin(rows)
    assert np.isfinite(rows).sum() > 0.85 * (right - left)


def test_one_point_is_a_dot_in_the_middle() -> None:
    picture = draw(Series("", [3], [2.5e-9]))
    left, top, right, bottom = axes(picture)
    rows, columns = np.where(where(picture, BLUE))
    assert rows.mean() == pytest.approx((top + bottom) / 2, abs=1)
    assert columns.mean() == pytest.approx((left + right) / 2, abs=1)


@pytest.mark.parametrize("series", [[], [Series("", [], [])], [Series("", [1, 2], [math.nan] * 2)]])
def test_an_empty_panel_says_so(series: list[Series]) -> None:
    picture = draw(*series)
    left, top, right, bottom = axes(picture)
    y, x = (top + bottom) // 2, (left + right) // 2
    assert (picture[y - 8 : y + 8, x - 50 : x + 50, 0] < 0.6).sum() > 50
    assert not where(picture, BLUE).any()


def test_a_million_points_show_their_extremes() -> None:
    y = np.zeros(10**6)
    y[123_456], y[654_321] = 1, -1
    picture = draw(Series("", np.arange(10**6), y))
    left, top, right, bottom = axes(picture)
    painted = where(picture, BLUE)
    # A needle is one pixel wide, or lies between two; look for its foot, which is thicker.
    shaded = picture[:, :, 0] < 0.7
    for x, rows in ((123_456, slice(top + 8, top + 14)), (654_321, slice(bottom - 14, bottom - 8))):
        column = round(left + (x / 10**6 + 0.04) / 1.08 * (right - left))
        assert shaded[rows, column - 2 : column + 3].any(axis=1).all()
    assert painted.any()


def test_lines_lie_over_faint_ones_of_their_colour() -> None:
    x = np.arange(100)
    raw = Series("", x, np.where(x % 2, 10, 0), faint=True)
    line = Series("", x, np.full(100, 5))
    picture = draw(raw, line)
    pale = lighten(BLUE, 0.6)
    assert where(picture, pale).sum() > 1000
    assert np.isfinite(heights(picture, BLUE)).sum() > 250
    assert not where(picture, ORANGE).any()


def test_two_lines_have_two_colours_and_dashes() -> None:
    picture = draw(Series("", range(9), [1] * 9), Series("", range(9), [2] * 9))
    whole, dashed = (np.isfinite(heights(picture, color)) for color in (BLUE, ORANGE))
    assert np.count_nonzero(np.diff(whole.astype(int)) == 1) == 1
    assert np.count_nonzero(np.diff(dashed.astype(int)) == 1) > 10


def test_the_legend_stands_above_the_axes() -> None:
    series = [Series(name, range(9), np.arange(9) + i) for i, name in enumerate(["one", "two"])]
    picture = draw_chart([Panel("Title", "x", "y", series)], W, H)
    _, top, _, _ = axes(picture)
    for color in (BLUE, ORANGE):
        assert where(picture[: top - 4], color).any()
    unnamed = [Series("", one.x, one.y) for one in series]
    bare = draw_chart([Panel("Title", "x", "y", unnamed)], W, H)
    assert not where(bare[: axes(bare)[1] - 4], BLUE).any()


def test_a_legend_too_wide_for_the_title_goes_below_it() -> None:
    def top(count: int) -> int:
        series = [Series(f"series number {i}", [0, 1], [0, i]) for i in range(count)]
        return axes(draw_chart([Panel("A title", "x", "y", series)], W, W))[1]

    assert top(1) < top(3) < top(6)
    # At some point the lines need the room more.
    assert top(40) == top(30) < W / 2


def test_y_axes_of_all_panels_are_in_line() -> None:
    short, long = panel(Series("", [0, 1], [0, 1])), panel(Series("", [0, 1], [1e-7, 1.23456e-7]))
    picture = draw_chart([short, long], W, H)
    assert axes(picture[:H])[0] == axes(picture[H:])[0] > axes(draw_chart([short], W, H))[0]


def test_panels_over_the_same_quantity_have_the_same_x_axis() -> None:
    some, all_of_it = Series("", [50, 100], [1, 1]), Series("", [0, 100], [1, 1])
    picture = draw_chart([panel(some), panel(all_of_it)], W, H)
    left, _, right, _ = axes(picture[:H])
    seen = np.flatnonzero(np.isfinite(heights(picture[:H], BLUE)))
    assert seen[0] == pytest.approx((left + right) / 2, abs=3)
    other = [panel(some), Panel("", "another", "y", [all_of_it])]
    alone = np.flatnonzero(np.isfinite(heights(draw_chart(other, W, H)[:H], BLUE)))
    assert alone[0] < left + 25


def test_texts_that_are_too_long_are_cut() -> None:
    long = "a very long text indeed " * 30
    series = [Series(long, [0, 1], [0, 1]), Series(long, [0, 1], [1, 0])]
    for w, h in ((MIN_WIDTH, MIN_HEIGHT), (W, H)):
        picture = draw_chart([Panel(long, long, long, series)], w, h)
        check_picture(picture, h, w)
        assert edges_are_white(picture)


def test_the_figures_are_left_as_they_were() -> None:
    x, y = np.array([3.0, 1, 2]), np.array([-1.0, np.nan, 5])
    before = x.copy(), y.copy()
    draw(Series("", x, y), log_y=True)
    np.testing.assert_array_equal((x, y), before)


floats = st.floats() | st.sampled_from([0.0, 1e300, -1e308, 5e-324, 1e-300]) | st.floats(-9, 9)
rows = st.lists(st.tuples(floats, floats), max_size=12)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(rows, st.booleans(), st.booleans(), st.text(max_size=9)), max_size=3),
    st.booleans(),
    st.sampled_from([(MIN_WIDTH, MIN_HEIGHT), (350, 230)]),
)
def test_any_figures_make_a_chart(
    lines: list[tuple[list[tuple[float, float]], bool, bool, str]],
    log_y: bool,
    size: tuple[int, int],
) -> None:
    series = [
        Series(name, [x for x, _ in pairs], [y for _, y in pairs], faint, dots)
        for pairs, faint, dots, name in lines
    ]
    w, h = size
    picture = draw_chart([Panel("title", "x", "y", series, log_y)], w, h)
    check_picture(picture, h, w)
    assert edges_are_white(picture)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="needs a panel"):
        draw_chart([])
    with pytest.raises(ValueError, match="319x200 pixels: 320x200 at least"):
        draw_chart([panel()], 319, 200)
    with pytest.raises(ValueError, match=r"series 'loss': x of shape \(2,\), y of shape \(3,\)"):
        draw(Series("loss", [1, 2], [1, 2, 3]))
    with pytest.raises(ValueError, match="series"):
        draw(Series("loss", [[1, 2]], [[1, 2]]))
