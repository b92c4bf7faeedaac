"""Heat maps as pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import (
    FITS,
    Frame,
    color_map,
    draw_heat,
    draw_overlay,
    fit_image,
    fitted_frame,
    shown_size,
    spread_heat,
)
from darknet_py.images.draw.heatmap import INFERNO
from darknet_py.images.draw.sheet import draw_maps
from tests.images.paint import check_picture
from tests.images.pictures import noise


def test_its_ends_its_middle_and_what_is_no_number() -> None:
    values = np.array([[0, 1], [0.5, np.nan]])
    colors = np.rint(color_map(values) * 255)
    assert colors.shape == (2, 2, 3)
    assert colors[0].tolist() == [list(INFERNO[0]), list(INFERNO[-1])]
    assert colors[1].tolist() == [list(INFERNO[8]), list(INFERNO[0])]
    np.testing.assert_array_equal(color_map(np.array([-3, 7])), color_map(np.array([0, 1])))


def test_it_grows_lighter_evenly_so_that_no_colour_vision_is_needed() -> None:
    """CIE lightness, from black to almost white, in steps of much the same size."""
    colors = color_map(np.linspace(0, 1, 65)).astype(np.float64)
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    steps = np.diff(lightness)
    assert steps.min() > 0.5
    assert steps.max() < 2.5
    assert lightness[0] < 1
    assert lightness[-1] > 95


def test_it_is_matplotlibs() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib to compare with")
    table = matplotlib.colormaps["inferno"](np.arange(256))[:, :3]
    np.testing.assert_allclose(color_map(np.linspace(0, 1, 256)), table, atol=0.026)


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


SPOT = np.zeros((5, 5), np.float32)
SPOT[2, 2] = 3


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((32, 32), (320, 320)),
        ((28, 20), (308, 220)),
        ((500, 300), (500, 300)),
        ((2048, 1024), (1024, 512)),
        ((4000, 1), (1024, 1)),
    ],
)
def test_small_pictures_are_enlarged_and_large_ones_shrunk(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert shown_size(*size) == shown
    w, h = size
    check_picture(draw_heat(SPOT, w, h), shown[1], shown[0])
    if h > 1:
        check_picture(draw_overlay(noise(h, w), SPOT), shown[1], shown[0])


def test_the_map_alone() -> None:
    drawn = draw_heat(SPOT, 400, 400)
    np.testing.assert_allclose(drawn[200, 200], color_map(np.array(1.0)), atol=0.03)
    np.testing.assert_allclose(drawn[20, 20], color_map(np.array(0.0)), atol=1e-6)
    np.testing.assert_array_equal(
        draw_heat(np.zeros((5, 5)), 40, 40)[0, 0], color_map(np.zeros(()))
    )
    np.testing.assert_array_equal(draw_heat(-SPOT, 400, 400), draw_heat(0 * SPOT, 400, 400))


def test_the_units_of_heat_do_not_matter() -> None:
    image = noise(40, 40)
    np.testing.assert_allclose(
        draw_overlay(image, SPOT), draw_overlay(image, SPOT * 1000), atol=1e-5
    )


def test_a_line_says_without_colour_what_is_hot() -> None:
    image = np.full((400, 400, 3), 0.5, np.float32)
    plain, lined = draw_overlay(image, SPOT, outline=False), draw_overlay(image, SPOT)
    changed = (plain != lined).any(axis=2)
    assert 100 < changed.sum() < 0.05 * changed.size
    assert set(np.unique(lined[changed])) == {np.float32(0.1), np.float32(1)}
    middle = changed[200]
    assert middle[:200].any()
    assert middle[200:].any()
    assert not middle[195:205].any()


def test_the_picture_below_is_seen_in_grey() -> None:
    image = np.zeros((64, 64, 3), np.float32)
    image[:, 32:] = [1, 0, 0]
    drawn = draw_overlay(image, np.zeros((4, 4)), outline=False)
    dark, red = drawn[10, 10], drawn[10, -10]
    assert red.mean() > dark.mean() + 0.1
    assert np.ptp(red) < 0.02
    grey = draw_overlay(image[:, :, :1], np.zeros((4, 4)))
    assert grey.shape == drawn.shape


def test_maps_in_one_scale() -> None:
    maps = np.stack([np.full((40, 40), value, np.float32) for value in (-1, 0, 5, 10)])
    sheet = draw_maps(maps, list("abcd"), "Maps")
    for share in (0, 0.5, 1):
        wanted = np.rint(color_map(np.array(share)) * 255)
        assert (np.rint(sheet * 255) == wanted).all(axis=2).sum() >= 1600
    check_picture(
        draw_maps(np.zeros((1, 3, 3)), ["x"]), *draw_maps(np.ones((1, 3, 3)), ["x"]).shape[:2]
    )
