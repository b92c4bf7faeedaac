"""Pixels of pictures in one pass, on the CPU: augmentation, and the views of a dream."""

from __future__ import annotations

import colorsys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from darknet_py.ops.cpu.pictures import UNMOVED, augment, control_count, spline_surface

sizes = st.integers(1, 12)
spacings = st.floats(0.5, 30)


def controls(h: int, w: int, spacing: float, seed: int = 5) -> np.ndarray:
    shape = (2, control_count(h, spacing), control_count(w, spacing))
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def cubic(t: float) -> float:
    """The cubic B-spline around 0."""
    t = abs(t)
    return max(2 - t, 0) ** 3 / 6 - 4 * max(1 - t, 0) ** 3 / 6


@given(sizes, sizes, spacings)
def test_the_sum_of_all_splines_written_out(h: int, w: int, spacing: float) -> None:
    control = controls(h, w, spacing)
    _, rows, columns = control.shape
    down = [[cubic(y / spacing - (row - 1)) for row in range(rows)] for y in range(h)]
    across = [[cubic(x / spacing - (column - 1)) for column in range(columns)] for x in range(w)]
    expected = np.array(down) @ control.astype(float) @ np.array(across).T
    surface = spline_surface(control, spacing, w, h)
    assert surface.dtype == np.float32
    np.testing.assert_allclose(surface, expected, atol=1e-5)


@given(sizes, sizes, spacings)
def test_equal_controls_make_a_plane(h: int, w: int, spacing: float) -> None:
    control = np.full_like(controls(h, w, spacing), 3)
    np.testing.assert_allclose(spline_surface(control, spacing, w, h), 3, rtol=1e-6)


def test_it_is_smooth() -> None:
    surface = spline_surface(controls(1, 400, 40), 40, 400, 1)[0, 0]
    assert abs(np.diff(surface, n=2)).max() < 5 / 40**2


IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def pixels(h: int, w: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (h, w, 3), dtype=np.uint8)


def planes(picture: np.ndarray) -> np.ndarray:
    """(h, w, 3) bytes as (3, h, w) float32, 0..1."""
    return np.asarray(np.divide(picture, 255, dtype=np.float32).transpose(2, 0, 1))


def augmented(picture: np.ndarray, h: int, w: int, **changes: object) -> np.ndarray:
    arguments = {"affine": IDENTITY, "field": UNMOVED, "flip": False, "colour": None} | changes
    out = np.full((3, h, w), np.nan, np.float32)
    augment(picture, out, **arguments)  # type: ignore[arg-type]
    return out


@given(st.integers(1, 6), st.integers(1, 6))
def test_nothing_changed(h: int, w: int) -> None:
    picture = pixels(h, w)
    np.testing.assert_allclose(augmented(picture, h, w), planes(picture), atol=1e-7)
    as_floats = np.ascontiguousarray(planes(picture).transpose(1, 2, 0))
    np.testing.assert_allclose(augmented(as_floats, h, w), planes(picture), atol=1e-7)


def test_left_and_right_exchanged() -> None:
    picture = pixels(4, 5)
    flipped = augmented(picture, 4, 5, flip=True)
    np.testing.assert_array_equal(flipped, augmented(picture, 4, 5)[:, :, ::-1])


def test_places_between_pixels_and_outside() -> None:
    picture = np.full((1, 2, 3), (51, 102, 255), np.uint8)
    picture[0, 1] = 0
    across = augmented(picture, 1, 7, affine=(0.5, 0.0, -1.0, 0.0, 1.0, 0.0))
    np.testing.assert_allclose(across[0, 0], [0, 0.1, 0.2, 0.1, 0, 0, 0], atol=1e-7)
    down = augmented(picture, 7, 1, affine=(1.0, 0.0, 0.0, 0.0, 0.5, -1.0))
    np.testing.assert_allclose(down[1, :, 0], [0, 0.2, 0.4, 0.2, 0, 0, 0], atol=1e-7)


@pytest.mark.parametrize("far", [1e30, -1e30, 3e9, 2.5e4])
def test_far_outside_is_black(far: float) -> None:
    for place in (2, 5):
        affine = tuple(far if index == place else value for index, value in enumerate(IDENTITY))
        assert not augmented(pixels(3, 3), 2, 2, affine=affine).any()


def test_a_field_moves_the_places() -> None:
    picture = pixels(6, 7)
    field = np.zeros((2, 4, 5), np.float32)
    field[0], field[1] = 2, 1
    moved = augmented(picture, 4, 5, field=field)
    np.testing.assert_allclose(moved, planes(picture)[:, 1:5, 2:7], atol=1e-7)
    field[0, 2, 3] = 100
    assert not augmented(picture, 4, 5, field=field)[:, 2, 3].any()


shares = st.floats(0, 1)


@given(shares, shares, shares, st.floats(-1, 1), st.floats(0, 3), st.floats(0, 3))
@example(0.9, 0.3, 0.1, -0.4, 1, 1)
@example(0.3, 0.1, 0.9, 0.8, 1, 1)
def test_colours_are_those_of_pythons_own_colorsys(
    r: float, g: float, b: float, hue: float, saturation: float, exposure: float
) -> None:
    picture = np.array([[[r, g, b]]], np.float32)
    colour = (hue, saturation, exposure, 0.0, 0.0, 0.0)
    changed = augmented(picture, 1, 1, colour=colour)[:, 0, 0]
    h, s, v = colorsys.rgb_to_hsv(*picture[0, 0].astype(float))
    # As in the C program, a hue that comes out at exactly 1 is magenta.
    assume(hue == 0 or abs(h + hue - round(h + hue)) > 1e-3)
    # colorsys wants a saturation up to 1, but its formula does not
    expected = np.clip(hsv_to_rgb((h + hue) % 1, s * saturation, v * exposure), 0, 1)
    np.testing.assert_allclose(changed, expected, atol=1e-4)


def hsv_to_rgb(h: float, s: float, v: float) -> np.ndarray:
    full = np.array(colorsys.hsv_to_rgb(h, 1.0, 1.0))
    return v * (1 - s * (1 - full))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_sums_come_last_and_are_clipped(order: tuple[int, ...]) -> None:
    picture = np.array([0.2, 0.4, 0.9], np.float32)[None, None, order]
    sums = [(0.1, -0.9, -0.3)[channel] for channel in order]
    changed = augmented(picture, 1, 1, colour=(0.0, 1.0, 2.0, *sums))[:, 0, 0]
    # twice as bright, clipped, then the sums, clipped
    np.testing.assert_allclose(changed, np.array([0.5, 0, 0.7])[list(order)], atol=1e-6)


@given(shares, shares, shares)
def test_no_change_of_colour_leaves_colours_alone(r: float, g: float, b: float) -> None:
    picture = np.array([[[r, g, b]]], np.float32)
    same = augmented(picture, 1, 1, colour=(0.0, 1.0, 1.0, 0.0, 0.0, 0.0))[:, 0, 0]
    np.testing.assert_allclose(same, picture[0, 0], atol=2e-6)


def test_the_picture_is_left_alone() -> None:
    picture = pixels(4, 4)
    before = picture.copy()
    augmented(picture, 4, 4, colour=(0.1, 2.0, 0.5, 0.1, 0.1, 0.1), flip=True)
    assert np.array_equal(picture, before)
