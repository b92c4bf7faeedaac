from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import smooth


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
