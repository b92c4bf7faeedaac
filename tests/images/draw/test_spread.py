from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import (
    FITS,
    Frame,
    fit_image,
    fitted_frame,
    spread_heat,
)


def test_between_the_middles_of_cells_it_is_linear() -> None:
    spread = spread_heat(np.array([[0.0, 8.0]]), 8, 2)
    # middles at 2 and 6: pixel middles .5, 1.5 are level, then 1/8 of the way and so on
    np.testing.assert_allclose(spread, [[0, 0, 1, 3, 5, 7, 8, 8]] * 2)
    assert spread.dtype == np.float32


def test_a_map_of_the_pictures_size_stays() -> None:
    heat = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    np.testing.assert_allclose(spread_heat(heat, 7, 5), heat, rtol=1e-6)


def test_outside_the_frame_there_is_none() -> None:
    spread = spread_heat(np.ones((2, 2)), 8, 4, Frame(2, 0, 6, 4))
    np.testing.assert_array_equal(spread, [[0, 0, 1, 1, 1, 1, 0, 0]] * 4)
    # a letterbox's grey lies outside the picture, and what is hot there falls away
    hot = np.array([[9.0], [0.0], [0.0], [9.0]])
    assert not spread_heat(hot, 4, 4, Frame(0, -4, 4, 8)).any()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 40), st.integers(1, 40))
def test_it_stays_between_the_least_and_the_largest(h: int, w: int, to_w: int, to_h: int) -> None:
    heat = np.random.default_rng(h * 7 + w).normal(size=(h, w)).astype(np.float32)
    spread = spread_heat(heat, to_w, to_h)
    assert spread.shape == (to_h, to_w)
    assert spread.min() >= heat.min() - 1e-5
    assert spread.max() <= heat.max() + 1e-5


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("in_w", "in_h"), [(90, 60), (60, 90), (64, 64), (31, 17)])
def test_a_frame_says_where_the_fitted_picture_lies(fit: str, in_w: int, in_h: int) -> None:
    """Pictures whose colours are their own coordinates, from 0 to 1."""
    x, y = (np.arange(in_w) + 0.5) / in_w, (np.arange(in_h) + 0.5) / in_h
    image = np.stack([*np.meshgrid(x, y), np.ones((in_h, in_w))], axis=2).astype(np.float32)
    fitted = fit_image(image, 32, 32, fit)
    frame = fitted_frame(in_w, in_h, 32, 32, fit)
    h, w = fitted.shape[:2]
    for row, column in ((h // 2, w // 2), (h // 3, w // 2), (h // 2, 2 * w // 3)):
        found_x, found_y, _ = fitted[row, column]
        expected_x = frame.left + (column + 0.5) / w * (frame.right - frame.left)
        expected_y = frame.top + (row + 0.5) / h * (frame.bottom - frame.top)
        pixel = max(in_w, in_h) / 32
        assert abs(found_x * in_w - expected_x) <= pixel
        assert abs(found_y * in_h - expected_y) <= pixel
