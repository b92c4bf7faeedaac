from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from darknet_py.images.draw.canvas import PALETTE, Drawing
from darknet_py.images.draw.chart import (
    MIN_HEIGHT,
    MIN_WIDTH,
    Axis,
    Panel,
    Series,
    draw_chart,
    tick_label,
)
from tests.images.draw.drawn import boxes, check_texts, texts
from tests.images.paint import check_picture, edges_are_white

W, H = 400, 240
LONG = "a very long text indeed " * 30


def panel(*series: Series, **options: Any) -> Panel:
    return Panel("", "x", "y", series, **options)


def draw(*series: Series, **options: Any) -> Drawing:
    return draw_chart([panel(*series, **options)], W, H)


def axes(drawing: Drawing, number: int = 0) -> Axes:
    found: Axes = drawing.figure.axes[number]
    return found


def lines(drawing: Drawing, number: int = 0) -> list[Line2D]:
    return list(axes(drawing, number).get_lines())


def points(line: Line2D) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)]


def marks(drawing: Drawing, marker: str) -> list[Line2D]:
    return [line for line in lines(drawing) if line.get_marker() == marker]


def test_each_panel_has_its_height() -> None:
    check_picture(draw_chart([panel()]).pixels(), 300, 1000)
    check_picture(draw_chart([panel(), panel(), panel()], 500, 200).pixels(), 600, 500)


def test_a_line_has_its_points_and_the_axes_some_room() -> None:
    drawing = draw(Series("", [3, 1, 2], [30, 10, 20]))
    (line,) = lines(drawing)
    assert points(line) == [(1, 10), (2, 20), (3, 30)]
    assert axes(drawing).get_xlim() == pytest.approx((0.92, 3.08))
    assert axes(drawing).get_ylim() == pytest.approx((9.2, 30.8))


@pytest.mark.parametrize(
    ("y", "low", "high"),
    [
        ([1, 10], 0, 10.36),
        ([-10, -1], -10.36, 0),
        ([0, 10], -0.4, 10.4),
        ([5, 5], 2.5, 7.5),
        ([0, 0], -1, 1),
        ([-4], -6, -2),
        ([], 0, 1),
    ],
)
def test_a_zero_that_is_near_is_shown(y: list[float], low: float, high: float) -> None:
    drawing = draw(Series("", range(len(y)), y))
    assert axes(drawing).get_ylim() == pytest.approx((low, high))


def test_powers_are_shown_by_the_logarithm_of_x() -> None:
    drawing = draw(Series("", [0, -1, 1e-6, 1e-3, 1], [9, 9, 1, 2, 3]), log_x=True)
    assert axes(drawing).get_xscale() == "log"
    assert points(lines(drawing)[0]) == [(1e-6, 1), (1e-3, 2), (1, 3)]
    drawing.pixels()
    powers = {"1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1", "1"}
    assert len(powers & set(texts(drawing))) > 1
    assert axes(draw(Series("", [2, 3, 5], [1, 2, 3]), log_x=True)).get_xticks().size >= 2


def test_powers_are_shown_by_the_logarithm_of_y() -> None:
    drawing = draw(Series("", [1, 2, 3, 4], [1e-4, 0, 1e-2, -1]), log_y=True)
    assert axes(drawing).get_yscale() == "log"
    assert points(lines(drawing)[1]) == [(1, 1e-4), (3, 1e-2)]
    check_texts(drawing)
    assert {"0.0001", "0.001", "0.01"} <= set(texts(drawing))


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_number_is_a_gap(gap: float) -> None:
    drawing = draw(Series("", range(5), [1, gap, 3, gap, 5]))
    line, alone = lines(drawing)
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False, True, False]
    assert points(alone) == [(0, 1), (2, 3), (4, 5)]
    assert alone.get_marker() == "o"


def test_spikes_lie_beyond_the_axis_and_are_marked() -> None:
    y = [3.0, 2, 500, 1, math.nan, 1]
    drawing = draw(Series("loss", range(6), y), top=3.0)
    assert axes(drawing).get_ylim()[1] < 3.5
    (beyond,), (lost,) = marks(drawing, "^"), marks(drawing, "x")
    assert beyond.get_xdata().tolist() == [2]
    assert lost.get_xdata().tolist() == [4]
    for mark in (beyond, lost):  # at the upper edge, not cut in half there
        assert mark.get_ydata().tolist() == [1]
        assert mark.get_transform() == axes(drawing).get_xaxis_transform()
        assert not mark.get_clip_on()
    assert {"beyond: up to 500", "no number (1×)"} <= set(texts(drawing))
    check_texts(drawing)


def test_without_spikes_nothing_is_said_of_them() -> None:
    drawing = draw(Series("loss", range(3), [3, 2, 1]), top=3.0)
    assert texts(drawing).count("loss") == 1
    assert not any("beyond" in text or "no number" in text for text in texts(drawing))
    assert not marks(drawing, "^")


def test_many_spikes_are_as_many_marks_as_stand_side_by_side() -> None:
    drawing = draw(Series("", range(10_000), [9.0] * 10_000), top=1.0)
    (beyond,) = marks(drawing, "^")
    assert 50 < len(beyond.get_xdata()) <= 101


def test_a_million_points_show_their_extremes() -> None:
    y = np.zeros(10**6)
    y[123_456], y[654_321] = 1, -1
    (line,) = lines(draw(Series("", np.arange(10**6), y)))
    assert len(points(line)) < 2000
    assert {(123_456.0, 1.0), (654_321.0, -1.0)} <= set(points(line))


def test_faint_lines_lie_behind_in_a_paler_colour_of_their_number() -> None:
    drawing = draw(
        Series("smoothed", [1, 2], [1, 2], style=1), Series("raw", [1, 2], [2, 1], 1, faint=True)
    )
    line, raw = lines(drawing)
    assert line.get_color() == PALETTE[1]
    assert raw.get_zorder() < line.get_zorder()
    assert raw.get_linewidth() < line.get_linewidth()
    assert np.all(np.array(to_rgb(raw.get_color())) >= to_rgb(PALETTE[1]))
    # and yet it is seen well on white paper
    assert max(1 - part for part in to_rgb(raw.get_color())) > 0.5


def test_lines_are_told_apart_without_colours() -> None:
    plain = draw(*(Series("", [0, 1], [k, k], style=k) for k in range(5)))
    assert len({str(line._dash_pattern) for line in lines(plain)}) == 5
    dotted = draw(*(Series("", [0, 1], [k, k], style=k, dots=True) for k in range(4)))
    assert len({line.get_marker() for line in lines(dotted)}) == 4
    many = draw(*(Series("", [0, 1], [k, k], style=k) for k in range(35)))
    looks = {(line.get_color(), str(line._dash_pattern)) for line in lines(many)}
    assert len(looks) == 35


def test_the_best_has_a_star() -> None:
    (star,) = marks(draw(Series("best", [3], [4], star=True)), "*")
    assert points(star) == [(3, 4)]


def test_a_name_stands_in_the_first_legend_that_has_it() -> None:
    one, two = Series("run", [0, 1], [0, 1]), Series("other", [0, 1], [0, 1], style=1)
    drawing = draw_chart([panel(one), panel(one, two)])
    assert texts(drawing).count("run") == 1
    where = boxes(drawing)
    assert where["run"].y0 > 300 > where["other"].y0


@pytest.mark.parametrize(
    ("count", "name"),
    [(1, "run {}"), (8, "run {}"), (3, "a run of a long name, number {}"), (40, "run number {}")],
)
def test_the_legend_stands_above_the_axes_and_is_whole(count: int, name: str) -> None:
    series = [Series(name.format(i), [0, 1], [0, i], style=i) for i in range(count)]
    drawing = draw_chart([Panel("A title", "batch", "loss", series), panel()])
    check_texts(drawing)
    upper = axes(drawing).get_window_extent()
    shown = [box for text, box in boxes(drawing).items() if "run" in text]
    assert len(shown) == count
    assert all(box.y0 > upper.y1 for box in shown)
    assert upper.height > 180


def test_notes_of_names_are_never_cut() -> None:
    drawing = draw(Series(LONG, [0, 1], [0, 1], note="best: 83.20 %"))
    (entry,) = [text for text in texts(drawing) if "best" in text]
    assert entry.endswith("…" + entry.split("…")[1])
    assert entry.endswith(", best: 83.20 %")


def test_y_axes_of_all_panels_are_in_line() -> None:
    short, long = panel(Series("", [0, 1], [0, 1])), panel(Series("", [0, 1], [1e-7, 1.23456e-7]))
    drawing = draw_chart([short, long], W, H)
    left, other = (axes(drawing, k).get_window_extent().x0 for k in (0, 1))
    assert left == other > axes(draw_chart([short], W, H)).get_window_extent().x0
    check_texts(drawing)


def test_panels_over_the_same_quantity_have_the_same_x_axis() -> None:
    some, all_of_it = Series("", [50, 100], [1, 1]), Series("", [0, 100], [1, 1])
    drawing = draw_chart([panel(some), panel(all_of_it), Panel("", "another", "", [some])])
    limits = [axes(drawing, k).get_xlim() for k in range(3)]
    assert limits[0] == limits[1] != limits[2]


@pytest.mark.parametrize("series", [[], [Series("", [], [])], [Series("", [1, 2], [math.nan] * 2)]])
def test_an_empty_panel_says_so(series: list[Series]) -> None:
    assert "nothing to show yet" in texts(draw(*series))
    assert "nothing to show yet" not in texts(draw(Series("", [1], [1])))


def test_whole_numbers_have_whole_ticks() -> None:
    for count in (1, 2, 3, 20):
        ticks = axes(draw(Series("", range(count), [1] * count))).get_xticks()
        assert ticks.size
        assert all(float(tick).is_integer() for tick in ticks)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        *((0, "0"), (0.1, "0.1"), (0.30000000000000004, "0.3"), (1500, "1500"), (-2, "-2")),
        *((2e5, "200k"), (1.5e6, "1.5M"), (3e9, "3G"), (1e-4, "0.0001"), (2e-7, "2e-7")),
        *((1e30, "1e30"), (-1.25e-9, "-1.25e-9"), (12500, "12.5k")),
    ],
)
def test_tick_labels(value: float, label: str) -> None:
    assert tick_label(value) == label


def test_texts_that_are_too_long_are_cut() -> None:
    series = [Series(LONG, [0, 1], [0, 1]), Series(LONG, [0, 1], [1, 0], style=1)]
    for w, h in ((MIN_WIDTH, MIN_HEIGHT), (W, H)):
        drawing = draw_chart([Panel(LONG, LONG, LONG, series)], w, h)
        check_texts(drawing)
        assert edges_are_white(drawing.pixels())


def test_dollars_and_underscores_are_themselves() -> None:
    names = ["$x_1$", "_hidden", "100 % \\alpha", "<b>&"]
    drawing = draw(*(Series(name, [0, 1], [0, k], style=k) for k, name in enumerate(names)))
    assert set(names) <= set(texts(drawing))
    drawing.pixels()


def test_the_figures_are_left_as_they_were() -> None:
    x, y = np.array([3.0, 1, 2]), np.array([-1.0, np.nan, 5])
    before = x.copy(), y.copy()
    draw(Series("", x, y), top=3).pixels()
    np.testing.assert_array_equal((x, y), before)


def test_an_axis_over_all_that_numbers_span_has_ticks() -> None:
    ticks = Axis(1e-101, 1.86e104, log=True, whole=False).ticks(2)
    assert ticks
    assert all(1e-101 <= tick <= 1.86e104 for tick in ticks)


floats = (
    st.floats() | st.sampled_from([0.0, 1e300, -1e308, 5e-324, 1e-300, 1e99]) | st.floats(-9, 9)
)
rows = st.lists(st.tuples(floats, floats), max_size=12)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(rows, st.booleans(), st.booleans(), st.text(max_size=9)), max_size=3),
    st.booleans(),
    st.booleans(),
    st.none() | floats.filter(math.isfinite),
)
def test_any_figures_make_a_chart(
    drawn: list[tuple[list[tuple[float, float]], bool, bool, str]],
    log_x: bool,
    log_y: bool,
    top: float | None,
) -> None:
    series = [
        Series(name, [x for x, _ in pairs], [y for _, y in pairs], k, faint, dots)
        for k, (pairs, faint, dots, name) in enumerate(drawn)
    ]
    drawing = draw_chart(
        [Panel("title", "x", "y", series, log_x, log_y, top)], MIN_WIDTH, MIN_HEIGHT
    )
    assert edges_are_white(drawing.pixels())


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="needs a panel"):
        draw_chart([])
    with pytest.raises(ValueError, match="319x200 pixels: 320x200 at least"):
        draw_chart([panel()], 319, 200)
    with pytest.raises(ValueError, match=r"series 'loss': x of shape \(2,\), y of shape \(3,\)"):
        draw(Series("loss", [1, 2], [1, 2, 3]))
    with pytest.raises(ValueError, match="series"):
        draw(Series("loss", [[1, 2]], [[1, 2]]))
