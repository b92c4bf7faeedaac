from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.images.transform.random_affine import Change, affine, draw_change
from tests.images.sets import EVERYTHING, PLAIN

TINY = replace(PLAIN, min_crop=224, max_crop=320, angle=7, aspect=0.75, hue=0.1, flip=True)


def draws(ranges: Augmentation, in_w: int, in_h: int, w: int, h: int) -> list[Change]:
    rng = np.random.default_rng(1)
    return [draw_change(rng, ranges, in_w, in_h, w, h) for _ in range(4000)]


def is_uniform(values: list[float], low: float, high: float) -> bool:
    """Whether no share of the values is off by more than chance allows."""
    ranks = (np.sort(values) - low) / (high - low)
    return bool(abs(ranks - np.linspace(0, 1, len(ranks))).max() < 0.05)


def test_ranges_are_drawn_from_evenly() -> None:
    changes = draws(TINY, 500, 375, 224, 224)
    assert is_uniform([change.rad for change in changes], -math.radians(7), math.radians(7))
    assert is_uniform([change.hue for change in changes], -0.1, 0.1)
    assert abs(np.mean([change.flip for change in changes]) - 0.5) < 0.04


@pytest.mark.parametrize("most", [0.75, 1.5])
@pytest.mark.parametrize("key", ["aspect", "saturation", "exposure"])
def test_factors_are_between_1_and_the_range_or_the_inverse_of_that(key: str, most: float) -> None:
    ranges: dict[str, Any] = {key: most}
    factors = [getattr(c, key) for c in draws(replace(TINY, **ranges), 500, 375, 224, 224)]
    inverse = [1 / factor for factor in factors if (factor > 1) != (most > 1)]
    direct = [factor for factor in factors if (factor > 1) == (most > 1)]
    assert abs(len(inverse) / len(factors) - 0.5) < 0.04
    for some in (inverse, direct):
        assert is_uniform(some, min(1, most), max(1, most))


def test_the_shorter_side_becomes_each_length_of_the_range() -> None:
    changes = draws(replace(PLAIN, min_crop=30, max_crop=33), 500, 375, 28, 28)
    sides = [round(change.scale * 375) for change in changes]
    assert set(sides) == {30, 31, 32, 33}
    assert all(abs(sides.count(side) / len(sides) - 0.25) < 0.03 for side in set(sides))
    exchanged = draws(replace(PLAIN, min_crop=33, max_crop=30), 500, 375, 28, 28)
    assert exchanged == changes


@given(st.integers(1, 600), st.integers(1, 600), st.integers(0, 99))
def test_scale_and_move_are_the_c_programs(in_w: int, in_h: int, seed: int) -> None:
    w = 224
    change = draw_change(np.random.default_rng(seed), TINY, in_w, in_h, w, w)
    side = change.scale * max(int(min(in_h, in_w * change.aspect)), 1)
    assert side == pytest.approx(round(side))
    assert 224 <= round(side) <= 320
    assert abs(change.dx) <= abs(in_w * change.scale / change.aspect - w) / 2
    assert abs(change.dy) <= abs(in_h * change.scale - w) / 2


def test_the_window_moves_by_what_the_picture_is_larger_on_each_side() -> None:
    changes = draws(replace(PLAIN, min_crop=100, max_crop=100), 200, 50, 80, 60)
    assert is_uniform([change.dx for change in changes], -160, 160)
    # the C program would measure the height by the width, 80
    assert is_uniform([change.dy for change in changes], -20, 20)


def test_a_window_larger_than_the_picture_moves_as_far() -> None:
    changes = draws(replace(PLAIN, min_crop=100, max_crop=100), 50, 50, 110, 140)
    assert is_uniform([change.dx for change in changes], -5, 5)
    assert is_uniform([change.dy for change in changes], -20, 20)


def test_flip_and_distortion_can_be_turned_off() -> None:
    changes = draws(PLAIN, 40, 40, 8, 8)
    assert not any(change.flip or change.recolours for change in changes)
    assert {(change.rad, change.aspect, change.shear) for change in changes} == {(0, 1, 0)}


@pytest.mark.parametrize("key", ["hue", "saturation", "exposure"])
def test_any_colour_that_changes_is_a_change(key: str) -> None:
    changed: dict[str, Any] = {key: 0.5}
    assert Change(**changed).recolours
    assert not Change().recolours


def test_center_only_leaves_what_does_not_move_the_window() -> None:
    ranges = replace(EVERYTHING, center=True)
    for change in draws(ranges, 40, 30, 8, 8)[:50]:
        still = (change.rad, change.scale, change.dx, change.dy, change.aspect)
        assert still == (0, 1, 0, 0, 1)
    changes = draws(ranges, 40, 30, 8, 8)
    assert len({(change.flip, change.hue, change.shear) for change in changes}) == len(changes)


def test_one_key_does_not_change_what_the_others_do() -> None:
    plain = draws(PLAIN, 40, 30, 8, 8)
    bent = draws(replace(PLAIN, flip=True, hue=0.3, shear=20), 40, 30, 8, 8)
    assert [(a.scale, a.dx, a.dy) for a in plain] == [(b.scale, b.dx, b.dy) for b in bent]


def test_shear_is_up_to_so_many_degrees_to_either_side() -> None:
    changes = draws(replace(PLAIN, shear=20), 40, 30, 8, 8)
    assert is_uniform([change.shear for change in changes], -math.radians(20), math.radians(20))


def test_a_shift_is_so_many_whole_pixels_to_either_side() -> None:
    moved = draws(replace(PLAIN, shift=2), 8, 8, 8, 8)
    places = [(change.dx, change.dy) for change in moved]
    assert set(places) == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}
    assert all(abs(places.count(place) / len(places) - 0.04) < 0.02 for place in set(places))
    # beside what the window moves by itself, and whatever else is drawn stays
    plain = draws(replace(EVERYTHING, shift=0), 40, 30, 8, 8)
    further = draws(replace(EVERYTHING, shift=3), 40, 30, 8, 8)
    assert [replace(change, dx=0, dy=0) for change in plain] == [
        replace(change, dx=0, dy=0) for change in further
    ]
    differences = [b.dx - a.dx for a, b in zip(plain, further, strict=True)]
    assert {round(difference, 9) for difference in differences} == set(range(-3, 4))


@given(st.floats(-3, 3), st.floats(-1, 1), st.floats(0.3, 3), st.floats(0.5, 2))
def test_shear_comes_before_the_turn(rad: float, shear: float, scale: float, aspect: float) -> None:
    a, b, c, d, e, f = affine(Change(rad, scale, 2, 3, aspect, shear), 30, 20, 8, 6)
    x, y = 5, 1
    v = (y - 3 + 3) / scale
    u = (x - 4 + 2) / scale * aspect + math.tan(shear) * v
    cos, sin = math.cos(rad), math.sin(rad)
    expected = cos * u - sin * v + 15, sin * u + cos * v + 10
    assert (a * x + b * y + c, d * x + e * y + f) == pytest.approx(expected, abs=1e-4)


def test_where_a_sheared_pixel_comes_from() -> None:
    a, b, c, d, e, f = affine(Change(shear=math.atan(0.5)), 10, 8, 10, 8)
    assert (a, b, d, e) == pytest.approx((1, 0.5, 0, 1))
    # the middle row stays
    assert (c + b * 4, f) == pytest.approx((0, 0))
