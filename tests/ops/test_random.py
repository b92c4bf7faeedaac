from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.random import dropout, random_ints, random_key

LARGE = np.zeros((4, 50, 50, 10), np.float32)


def mask_of(x: np.ndarray, probability: float, seed: int, draw: int) -> np.ndarray:
    found: np.ndarray = dropout(x + 1, probability, random_key(seed, draw))
    return found


def splitmix64(state: int) -> int:
    """One number of the published generator, from its state before."""
    bits = (1 << 64) - 1
    z = (state + 0x9E3779B97F4A7C15) & bits
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & bits
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & bits
    return z ^ (z >> 31)


def test_splitmix64_is_the_published_one() -> None:
    assert splitmix64(0) == 0xE220A8397B1DCDAF


@given(st.integers(-5, 1 << 70), st.integers(0, 1 << 40), st.integers(1, 1000))
def test_random_ints(seed: int, draw: int, below: int) -> None:
    bits = (1 << 64) - 1
    key = splitmix64(splitmix64(seed & bits) ^ draw)
    expected = [(splitmix64(place ^ key) >> 40) * below >> 24 for place in range(9)]
    assert random_ints(9, below, seed, draw) == expected


def test_random_ints_stay_what_they_were() -> None:
    """A training run that is taken up again must see the numbers that it would have seen."""
    numbers = [138, 184, 697, 321, 445, 443, 308, 827]
    assert random_ints(8, 1000, 0, 0) == numbers
    assert random_ints(3, 1000, 0, 0) == numbers[:3]
    assert random_ints(0, 1000, 0, 0) == []


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 0.9])
def test_share(probability: float) -> None:
    mask = mask_of(LARGE, probability, 3, 5)
    assert mask.shape == LARGE.shape
    values = np.unique(mask)
    np.testing.assert_allclose(values[values > 0], 1 / (1 - probability), rtol=1e-6)
    deviation = np.sqrt(probability * (1 - probability) / LARGE.size)
    assert abs((mask == 0).mean() - probability) <= 4 * deviation
    # in no channel, row or picture more than elsewhere
    for axis in range(4):
        others = tuple(i for i in range(4) if i != axis)
        share = (mask == 0).mean(axis=others)
        apart = np.sqrt(LARGE.shape[axis]) * deviation
        assert np.abs(share - probability).max() <= 5 * apart


def test_reproducible_and_of_any_type() -> None:
    mask = mask_of(LARGE, 0.4, 1, 2)
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(mask, mask_of(LARGE, 0.4, 1, 2))
    same = mask_of(LARGE.astype(np.float64), 0.4, 1, 2)
    assert same.dtype == np.float64
    np.testing.assert_array_equal(mask > 0, same > 0)
    np.testing.assert_allclose(mask, same, rtol=1e-6)


@pytest.mark.parametrize(("seed", "draw"), [(1, 3), (2, 2), (2, 1), (-1, 2), (1 << 63, 2)])
def test_seeds_and_draws_do_not_resemble_each_other(seed: int, draw: int) -> None:
    one, other = (mask_of(LARGE, 0.5, *key) > 0 for key in ((1, 2), (seed, draw)))
    share = (one == other).mean()
    assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(LARGE.size)


def test_neighbours_do_not_resemble_each_other() -> None:
    kept = (mask_of(LARGE, 0.5, 1, 2) > 0).reshape(-1)
    for distance in (1, 2, 10, 500):
        share = (kept[distance:] == kept[:-distance]).mean()
        assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(LARGE.size)
