from __future__ import annotations

import numpy as np
import pytest

from darknet_py.tasks.explain.figures import Box, grid, hottest, in_words, middle, share_within


def test_the_share_of_heat_in_a_box() -> None:
    heat = np.ones((4, 10), np.float32)
    assert share_within(heat, Box(0, 0, 5, 4)) == 0.5
    assert share_within(heat, Box(2, 1, 4, 3)) == 0.1
    assert share_within(heat, Box(-5, -5, 500, 500)) == 1
    assert share_within(heat, Box(10, 0, 20, 4)) == 0
    assert share_within(np.zeros((4, 10)), Box(0, 0, 5, 4)) == 0


def test_where_the_heat_is() -> None:
    heat = np.zeros((30, 60), np.float32)
    heat[4, 50] = 2
    assert hottest(heat) == (50, 4)
    assert middle(heat) == (50.5, 4.5)
    assert in_words(heat) == "upper right"
    heat[4, 0] = 2
    assert middle(heat) == (25.5, 4.5)
    assert in_words(heat) == "upper"
    assert in_words(np.ones((5, 5))) == "centre"
    assert in_words(np.zeros((5, 5))) == "nowhere"
    assert middle(np.zeros((5, 5))) is None


@pytest.mark.parametrize("shape", [(8, 8), (5, 3), (37, 101), (1, 1)])
def test_a_grid_of_shares(shape: tuple[int, int]) -> None:
    """Shares of the whole, also where parts cut pixels."""
    even = grid(np.ones(shape, np.float32))
    np.testing.assert_allclose(even, np.full((8, 8), 1 / 64))
    heat = np.random.default_rng(0).random((16, 24))
    blocks = heat.reshape(8, 2, 8, 3).sum(axis=(1, 3))
    np.testing.assert_allclose(grid(heat), blocks / heat.sum())
    assert not grid(np.zeros(shape)).any()
