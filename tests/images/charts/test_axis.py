from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darknet_py.images.charts.axis import Axis, Values, fit_axis, log_ticks, tick_labels, ticks

anything = st.lists(st.floats(), max_size=8)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1, 5, [0, 0.5, 1]),
        (0, 1, 11, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (-1.3, 2.7, 5, [-1, 0, 1, 2]),
        (0.05, 0.32, 7, [0.05, 0.1, 0.15, 0.2, 0.25, 0.3]),
        (0, 500200, 6, [0, 1e5, 2e5, 3e5, 4e5, 5e5]),
        (3e-9, 9e-9, 4, [4e-9, 6e-9, 8e-9]),
        (1e15, 1e15 + 4, 5, [1e15, 1e15 + 1, 1e15 + 2, 1e15 + 3, 1e15 + 4]),
        (-1e300, 1e300, 5, [-1e300, -5e299, 0, 5e299, 1e300]),
    ],
)
def test_ticks(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


def test_whole_ticks_are_no_finer_than_1() -> None:
    assert ticks(0, 2, 9, whole=True) == [0, 1, 2]
    assert ticks(0, 200, 5, whole=True) == [0, 50, 100, 150, 200]


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(4, 20))
def test_ticks_lie_within_and_are_even(low: float, span: float, most: int) -> None:
    assume(span > 1e-6 * abs(low))
    found = ticks(low, low + span, most)
    assert 2 <= len(found) <= most
    room = 1e-9 * (abs(low) + span)
    assert low - room <= found[0]
    assert found[-1] <= low + span + room
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0], atol=room)
    digit = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-4)
    assert any(digit == pytest.approx(round_one, rel=1e-3) for round_one in (1, 2, 5))


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (-3, 2, 6, [1e-3, 1e-2, 1e-1, 1, 10, 100]),
        (-6, 0, 4, [1e-6, 1e-4, 1e-2, 1]),
        (0, 1.5, 8, [1, 2, 5, 10, 20]),
        (0, 1.5, 4, [1, 10]),
        (math.log10(1.1), math.log10(1.9), 6, [1.2, 1.4, 1.6, 1.8]),
        (math.log10(30), math.log10(90), 8, [30, 40, 50, 60, 70, 80, 90]),
    ],
)
def test_log_ticks(low: float, high: float, most: int, expected: list[float]) -> None:
    assert log_ticks(low, high, most) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([0], ["0"]),
        ([0, 0.5, 1], ["0", "0.5", "1.0"]),
        ([0.05, 0.1, 0.15], ["0.05", "0.10", "0.15"]),
        ([-20, 0, 20], ["-20", "0", "20"]),
        ([0, 2000, 4000], ["0", "2000", "4000"]),
        ([0, 5000, 10000], ["0", "5k", "10k"]),
        ([0, 200000, 400000], ["0", "200k", "400k"]),
        ([0, 500000, 1000000], ["0", "500k", "1000k"]),
        ([0, 1e6, 2e6], ["0", "1M", "2M"]),
        ([1.5e6, 2e6, 2.5e6], ["1.5M", "2.0M", "2.5M"]),
        ([2e9, 4e9], ["2G", "4G"]),
        ([10002, 10004], ["10002", "10004"]),
        ([1e6, 1e6 + 5], ["1000000", "1000005"]),
        ([1.00002, 1.00004], ["1.00002", "1.00004"]),
        ([0, 2e-7, 4e-7], ["0", "2e-7", "4e-7"]),
        ([9e-7, 1e-6, 1.1e-6], ["9.0e-7", "1.0e-6", "1.1e-6"]),
        ([1e15, 2e15], ["1e15", "2e15"]),
    ],
)
def test_tick_labels(values: list[float], expected: list[str]) -> None:
    assert tick_labels(values) == expected


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(4, 20))
def test_labels_tell_ticks_apart(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    labels = tick_labels(found)
    assert len(set(labels)) == len(found)


def test_labels_of_a_logarithmic_axis_are_each_as_brief_as_can_be() -> None:
    axis = Axis(-8, 8, log=True)
    assert axis.labels([1e-8, 1e-4, 1, 1e4, 1e8]) == ["1e-8", "0.0001", "1", "10k", "1e8"]
    assert axis.labels([0.5, 1, 2]) == ["0.5", "1", "2"]
    assert axis.labels([1.5, 2, 2.5]) == ["1.5", "2.0", "2.5"]


def test_fit_axis_leaves_room() -> None:
    axis = fit_axis(np.array([10.0, 20, np.nan, np.inf]))
    assert [axis.low, axis.high] == pytest.approx([9.6, 20.4])


def test_fit_axis_shows_a_zero_that_is_near() -> None:
    assert fit_axis(np.array([0.2, 2.5])).low == 0
    assert fit_axis(np.array([-2.5, -0.2])).high == 0
    assert fit_axis(np.array([0.0, 1])).low == pytest.approx(-0.04)
    assert fit_axis(np.array([0.8, 1])).low > 0.7


def test_fit_axis_knows_whole_numbers() -> None:
    assert fit_axis(np.array([1.0, 2, 3])).ticks(20) == [1, 2, 3]
    assert len(fit_axis(np.array([1, 2, 2.5])).ticks(20)) > 3


def test_one_value_lies_in_the_middle() -> None:
    for value in (3.0, -2e-9, 0.0, 1e300, 5e-324):
        axis = fit_axis(np.array([value, value]))
        assert axis.shares(np.array([value])) == pytest.approx(0.5)
    assert fit_axis(np.array([50.0]), log=True).shares(np.array([50.0])) == pytest.approx(0.5)


def test_no_value_at_all() -> None:
    assert fit_axis(np.array([np.nan])) == Axis(0, 1)
    assert fit_axis(np.array([-1.0, 0]), log=True) == Axis(0, 1, log=True)


def test_shares_of_a_logarithmic_axis() -> None:
    shares = Axis(-1, 1, log=True).shares(np.array([0.1, 1, 10, 0, -1, np.nan]))
    np.testing.assert_allclose(shares, [0, 0.5, 1, np.nan, np.nan, np.nan], atol=1e-12)


def shown(values: list[float], log: bool) -> Values:
    return np.array([v for v in values if math.isfinite(v) and (v > 0 or not log)])


@given(anything, st.booleans())
def test_every_value_lies_on_its_axis(values: list[float], log: bool) -> None:
    axis = fit_axis(np.array(values), log)
    shares = axis.shares(shown(values, log))
    assert ((shares >= -1e-6) & (shares <= 1 + 1e-6)).all()
    assert axis.low < axis.high


@given(anything, st.booleans(), st.integers(4, 20))
def test_every_axis_has_ticks_on_it(values: list[float], log: bool, most: int) -> None:
    axis = fit_axis(np.array(values), log)
    found = axis.ticks(most)
    assert 1 <= len(found) <= most
    assert len(axis.labels(found)) == len(found)
    shares = axis.shares(np.array(found))
    assert ((shares >= -1e-3) & (shares <= 1 + 1e-3)).all()
    assert (np.diff(shares) >= 0).all()
    assume(all(1e-200 < abs(value) < 1e200 for value in values))
    assert (np.diff(shares) > 0).all()
