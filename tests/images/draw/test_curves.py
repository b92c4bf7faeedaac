from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.draw.curves import smooth, thin, top_without_spikes


def test_by_hand() -> None:
    # 4; (2 + .5 * 4) / 1.5; (8 + .5 * 2 + .25 * 4) / 1.75
    assert smooth([4, 2, 8], keep=0.5) == pytest.approx([4, 8 / 3, 40 / 7])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.floats(0, 0.999),
)
def test_it_is_the_weighted_average(values: list[float], keep: float) -> None:
    smoothed = smooth(values, keep)
    assert smoothed[0] == values[0]
    for n in range(len(values)):
        weights = [keep ** (n - i) for i in range(n + 1)]
        sums = sum(w * v for w, v in zip(weights, values, strict=False))
        assert smoothed[n] == pytest.approx(sums / sum(weights), rel=1e-9, abs=1e-6)


def test_a_constant_stays_what_it_is() -> None:
    assert smooth([7.0] * 50) == pytest.approx([7.0] * 50, rel=1e-14)


def test_nothing_is_kept() -> None:
    assert smooth([3, 1, 2], keep=0) == [3, 1, 2]
    assert smooth([]) == []


def test_what_is_not_finite_counts_for_nothing() -> None:
    smoothed = smooth([4, math.nan, 2, math.inf, 8], keep=0.5)
    assert math.isnan(smoothed[1])
    assert smoothed[3] == math.inf
    assert [smoothed[i] for i in (0, 2, 4)] == smooth([4, 2, 8], keep=0.5)


@pytest.mark.parametrize("keep", [-0.1, 1, 2, math.nan])
def test_another_keep_is_refused(keep: float) -> None:
    with pytest.raises(ValueError, match="is not in 0 to below 1"):
        smooth([1.0], keep)


def falling(n: int = 400) -> npt.NDArray[np.float64]:
    noise = np.random.default_rng(0).random(n)
    return np.asarray(2 * np.exp(-np.arange(n) / (n / 8)) + 0.2 + 0.1 * noise, np.float64)


@pytest.mark.parametrize("n", [20, 400, 5000])
def test_a_curve_without_spikes_is_seen_whole(n: int) -> None:
    assert top_without_spikes([falling(n)]) == falling(n).max()


@pytest.mark.parametrize("places", [[0], [7], [19], [5, 12], [1, 8, 15]])
def test_spikes_are_left_out(places: list[int]) -> None:
    curve = falling(20)
    expected = np.delete(curve, places).max()
    curve[places] = 1e4
    assert top_without_spikes([curve, falling(400)]) == max(expected, falling(400).max())
    assert top_without_spikes([curve]) == expected


def test_a_bit_higher_is_no_spike() -> None:
    curve = falling(40)
    curve[30] = 3.0
    assert top_without_spikes([curve]) == 3.0


def test_an_explosion_is_left_out_and_a_start_is_not() -> None:
    curve = falling(1000)
    curve[900:] = 1e30
    assert top_without_spikes([curve]) == falling(1000)[:900].max()
    assert top_without_spikes([[500.0] * 10 + [300.0] * 10 + [1.0] * 60]) == 500


def test_what_is_no_number_has_no_top() -> None:
    assert top_without_spikes([]) == 1
    assert top_without_spikes([[math.nan, math.inf]]) == 1
    assert top_without_spikes([[math.nan, 3.0, math.inf, 1e200]]) == 3
    assert top_without_spikes([[0.0] * 9]) == 0
    assert top_without_spikes([[7.0] * 9]) == 7


def test_thinned_curves_keep_extremes_and_gaps() -> None:
    x, y = np.arange(10**5, dtype=np.float64), np.zeros(10**5)
    y[[12_345, 54_321]], y[77_777] = (1, -1), math.nan
    thinned_x, thinned_y = thin(x, y, 100)
    assert len(thinned_x) <= 500
    assert (np.diff(thinned_x) > 0).all()
    for place in (0, 12_345, 54_321, 77_777, 99_999):
        assert place in thinned_x
    np.testing.assert_array_equal(thinned_y, y[thinned_x.astype(int)])
    few = thin(x[:300], y[:300], 100)
    assert len(few[0]) == 300
