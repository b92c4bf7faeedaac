"""None"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.images import augment_image, fit_image, flip_image
from darknet_py.images.dataset.readable import Store
from darknet_py.images.transform.augment import (
    Change,
    Purpose,
    affine,
    draw_change,
    draw_displacement,
    erase_rectangle,
    generator,
    mix_batch,
    principal_components,
)
from darknet_py.ops.cpu.pictures import UNMOVED, augment
from tests.images.pictures import Floats, golden
from tests.images.sets import EVERYTHING, PLAIN
from tests.support.c_pictures import distort_image, rotate_crop_image


def draws(*arguments: int) -> tuple[float, ...]:
    purpose, seed, *place = arguments
    return tuple(generator(Purpose(purpose), seed, *place).random(3).tolist())


def test_the_same_numbers_for_the_same_place() -> None:
    assert draws(Purpose.PICTURE, 7, 1, 2) == draws(Purpose.PICTURE, 7, 1, 2)


def test_each_purpose_seed_and_place_has_its_own() -> None:
    places = [place for length in (1, 2) for place in product((0, 1, 2), repeat=length)]
    # of one purpose, places are of one length
    all_draws = [
        draws(purpose, seed, *place)
        for purpose in Purpose
        for seed in (0, 1, 2**40)
        for place in places
        if len(place) == 1 + (purpose == Purpose.PICTURE)
    ]
    assert len(set(all_draws)) == len(all_draws) > 50


TINY = replace(PLAIN, min_crop=224, max_crop=320, angle=7, aspect=0.75, hue=0.1, flip=True)


def drawn_changes(ranges: Augmentation, in_w: int, in_h: int, w: int, h: int) -> list[Change]:
    rng = np.random.default_rng(1)
    return [draw_change(rng, ranges, in_w, in_h, w, h) for _ in range(4000)]


def is_uniform(values: list[float], low: float, high: float) -> bool:
    """Whether no share of the values is off by more than chance allows."""
    ranks = (np.sort(values) - low) / (high - low)
    return bool(abs(ranks - np.linspace(0, 1, len(ranks))).max() < 0.05)


def test_ranges_are_drawn_from_evenly() -> None:
    changes = drawn_changes(TINY, 500, 375, 224, 224)
    assert is_uniform([change.rad for change in changes], -math.radians(7), math.radians(7))
    assert is_uniform([change.hue for change in changes], -0.1, 0.1)
    assert abs(np.mean([change.flip for change in changes]) - 0.5) < 0.04


@pytest.mark.parametrize("most", [0.75, 1.5])
@pytest.mark.parametrize("key", ["aspect", "saturation", "exposure"])
def test_factors_are_between_1_and_the_range_or_the_inverse_of_that(key: str, most: float) -> None:
    ranges: dict[str, Any] = {key: most}
    factors = [getattr(c, key) for c in drawn_changes(replace(TINY, **ranges), 500, 375, 224, 224)]
    inverse = [1 / factor for factor in factors if (factor > 1) != (most > 1)]
    direct = [factor for factor in factors if (factor > 1) == (most > 1)]
    assert abs(len(inverse) / len(factors) - 0.5) < 0.04
    for some in (inverse, direct):
        assert is_uniform(some, min(1, most), max(1, most))


def test_the_shorter_side_becomes_each_length_of_the_range() -> None:
    changes = drawn_changes(replace(PLAIN, min_crop=30, max_crop=33), 500, 375, 28, 28)
    sides = [round(change.scale * 375) for change in changes]
    assert set(sides) == {30, 31, 32, 33}
    assert all(abs(sides.count(side) / len(sides) - 0.25) < 0.03 for side in set(sides))
    exchanged = drawn_changes(replace(PLAIN, min_crop=33, max_crop=30), 500, 375, 28, 28)
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
    changes = drawn_changes(replace(PLAIN, min_crop=100, max_crop=100), 200, 50, 80, 60)
    assert is_uniform([change.dx for change in changes], -160, 160)
    # the C program would measure the height by the width, 80
    assert is_uniform([change.dy for change in changes], -20, 20)


def test_a_window_larger_than_the_picture_moves_as_far() -> None:
    changes = drawn_changes(replace(PLAIN, min_crop=100, max_crop=100), 50, 50, 110, 140)
    assert is_uniform([change.dx for change in changes], -5, 5)
    assert is_uniform([change.dy for change in changes], -20, 20)


def test_flip_and_distortion_can_be_turned_off() -> None:
    changes = drawn_changes(PLAIN, 40, 40, 8, 8)
    assert not any(change.flip or change.recolours for change in changes)
    assert {(change.rad, change.aspect, change.shear) for change in changes} == {(0, 1, 0)}


@pytest.mark.parametrize("key", ["hue", "saturation", "exposure"])
def test_any_colour_that_changes_is_a_change(key: str) -> None:
    changed: dict[str, Any] = {key: 0.5}
    assert Change(**changed).recolours
    assert not Change().recolours


def test_center_only_leaves_what_does_not_move_the_window() -> None:
    ranges = replace(EVERYTHING, center=True)
    for change in drawn_changes(ranges, 40, 30, 8, 8)[:50]:
        still = (change.rad, change.scale, change.dx, change.dy, change.aspect)
        assert still == (0, 1, 0, 0, 1)
    changes = drawn_changes(ranges, 40, 30, 8, 8)
    assert len({(change.flip, change.hue, change.shear) for change in changes}) == len(changes)


def test_one_key_does_not_change_what_the_others_do() -> None:
    plain = drawn_changes(PLAIN, 40, 30, 8, 8)
    bent = drawn_changes(replace(PLAIN, flip=True, hue=0.3, shear=20), 40, 30, 8, 8)
    assert [(a.scale, a.dx, a.dy) for a in plain] == [(b.scale, b.dx, b.dy) for b in bent]


def test_shear_is_up_to_so_many_degrees_to_either_side() -> None:
    changes = drawn_changes(replace(PLAIN, shear=20), 40, 30, 8, 8)
    assert is_uniform([change.shear for change in changes], -math.radians(20), math.radians(20))


def test_a_shift_is_so_many_whole_pixels_to_either_side() -> None:
    moved = drawn_changes(replace(PLAIN, shift=2), 8, 8, 8, 8)
    places = [(change.dx, change.dy) for change in moved]
    assert set(places) == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}
    assert all(abs(places.count(place) / len(places) - 0.04) < 0.02 for place in set(places))
    # beside what the window moves by itself, and whatever else is drawn stays
    plain = drawn_changes(replace(EVERYTHING, shift=0), 40, 30, 8, 8)
    further = drawn_changes(replace(EVERYTHING, shift=3), 40, 30, 8, 8)
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


def fields(pixels: float, sigma: float, count: int = 40) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.stack([draw_displacement(rng, pixels, sigma, 60, 50) for _ in range(count)])


def test_shape() -> None:
    field = fields(1, 4)[0]
    assert field.shape == (2, 50, 60)
    assert field.dtype == np.float32


@pytest.mark.parametrize("pixels", [0.5, 3])
@pytest.mark.parametrize("sigma", [2, 8])
def test_its_standard_deviation_is_in_pixels(pixels: float, sigma: float) -> None:
    field = fields(pixels, sigma)
    assert field.std() == pytest.approx(pixels, rel=0.1)
    assert abs(field.mean()) < 0.15 * pixels


@pytest.mark.parametrize("sigma", [2, 5])
def test_it_is_as_smooth_as_blurred_noise(sigma: float) -> None:
    field = fields(1, sigma)
    for step in (1, 2):
        distance = round(step * sigma)
        products = field[:, :, :, distance:] * field[:, :, :, :-distance]
        # of noise that a Gaussian blurs: exp(-d^2 / 4 sigma^2)
        assert products.mean() == pytest.approx(np.exp(-((distance / sigma) ** 2) / 4), abs=0.1)


def test_across_and_down_have_nothing_to_do_with_each_other() -> None:
    field = fields(1, 2)
    assert abs((field[:, 0] * field[:, 1]).mean()) < 0.05


def erased(h: int, w: int, least: float, most: float, seed: int, c: int = 3) -> np.ndarray:
    """Where a rectangle was erased: (h, w)."""
    image = np.full((c, h, w), 2, np.float32)
    erase_rectangle(image, np.random.default_rng(seed), least, most)
    changed = image != 2
    assert (changed == changed[0]).all()
    assert image[changed].min(initial=0) >= 0
    assert image[changed].max(initial=0) <= 1
    return np.asarray(changed[0])


def box(changed: np.ndarray) -> tuple[int, int, int, int]:
    """Its top, left, rows and columns."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_a_rectangle_within_the_picture(h: int, w: int, seed: int) -> None:
    changed = erased(h, w, 0, 1, seed)
    if changed.any():
        _, _, rows, columns = box(changed)
        assert changed.sum() == rows * columns


@pytest.mark.parametrize(("w", "h"), [(100, 100), (400, 40), (40, 400)])
def test_its_share_is_in_the_range(w: int, h: int) -> None:
    shares = [erased(h, w, 0.1, 0.3, seed).mean() for seed in range(300)]
    assert 0.08 < min(shares) < 0.12
    assert 0.28 < max(shares) < 0.32
    assert np.mean(shares) == pytest.approx(0.2, abs=0.015)


def test_its_shape_and_place_vary() -> None:
    boxes = [box(erased(100, 100, 0.1, 0.1, seed)) for seed in range(300)]
    shapes = [rows / columns for _, _, rows, columns in boxes]
    assert 0.28 < min(shapes) < 0.35
    assert 2.9 < max(shapes) < 3.6
    assert np.mean([shape > 1 for shape in shapes]) == pytest.approx(0.5, abs=0.1)
    tops, lefts = [top for top, *_ in boxes], [left for _, left, *_ in boxes]
    for places in (tops, lefts):
        assert min(places) == 0
        assert max(places) > 70


def test_each_channel_has_noise_of_its_own() -> None:
    image = np.zeros((3, 50, 50), np.float32)
    erase_rectangle(image, np.random.default_rng(1), 1, 1)
    assert np.corrcoef(image.reshape(3, -1)) == pytest.approx(np.eye(3), abs=0.1)
    assert image.mean() == pytest.approx(0.5, abs=0.02)


Mixed = tuple[np.ndarray, np.ndarray]
COUNT = 60


def mixed(mixup: float, cutmix: float, seed: int = 0) -> Mixed:
    """A batch of plain pictures, picture k all k / COUNT, of class k."""
    levels = np.arange(COUNT, dtype=np.float32) / np.float32(COUNT)
    x = np.tile(levels[:, None, None, None], (1, 3, 10, 12))
    y = np.eye(COUNT, dtype=np.float32)
    ranges = replace(PLAIN, mixup=mixup, cutmix=cutmix)
    mix_batch(x, y, ranges, np.random.default_rng(seed))
    return x, y


@given(st.floats(0, 5), st.floats(0, 5), st.integers(0, 99))
def test_truth_still_sums_to_1_and_is_what_the_picture_shows(
    mixup: float, cutmix: float, seed: int
) -> None:
    x, y = mixed(mixup, cutmix, seed)
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-6)
    assert y.min() >= 0
    assert x.min() >= 0
    assert x.max() <= 1
    assert ((y > 0).sum(axis=1) <= 2).all()
    levels = np.arange(COUNT) / COUNT
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), y @ levels, atol=1e-5)


def test_nothing_is_mixed_unless_asked() -> None:
    x, y = mixed(0, 0)
    assert np.array_equal(y, np.eye(COUNT))
    assert np.array_equal(x[:, 0, 0, 0], np.arange(COUNT, dtype=np.float32) / COUNT)
    assert (x == x[:, :1, :1, :1]).all()


def blended(batch: Mixed) -> np.ndarray:
    """Which pictures are an even blend of two."""
    x, y = batch
    return np.asarray((x.std(axis=(1, 2, 3)) < 1e-6) & (y.max(axis=1) < 1))


def cut(batch: Mixed) -> np.ndarray:
    """Which pictures have a part of another."""
    return np.asarray(batch[0].std(axis=(1, 2, 3)) > 1e-6)


def test_mixup_blends() -> None:
    batch = mixed(1, 0)
    assert blended(batch).sum() > 50
    assert not cut(batch).any()


def test_cutmix_cuts_a_rectangle_out_of_all_channels() -> None:
    batch = mixed(0, 1)
    x, y = batch
    assert cut(batch).sum() > 40
    assert not blended(batch)[~cut(batch)].any()
    for image, truth, own in zip(x, y, np.arange(COUNT) / COUNT, strict=True):
        other = image != np.float32(own)
        assert (other == other[0]).all()
        rows, columns = other[0].any(axis=1), other[0].any(axis=0)
        assert other[0].sum() == rows.sum() * columns.sum()
        assert truth[round(own * COUNT)] == pytest.approx(1 - other[0].mean(), abs=1e-6)


def test_both_are_drawn_equally_often() -> None:
    batches = [mixed(1, 1, seed) for seed in range(5)]
    cuts = np.mean([cut(batch).mean() for batch in batches])
    blends = np.mean([(blended(batch) & ~cut(batch)).mean() for batch in batches])
    assert 0.35 < cuts < 0.55
    assert 0.4 < blends < 0.6


@pytest.mark.parametrize("key", ["mixup", "cutmix"])
def test_alpha_says_how_even_the_shares_are(key: str) -> None:
    def typical(alpha: float) -> float:
        arguments = {"mixup": 0.0, "cutmix": 0.0, key: alpha}
        return float(np.mean([mixed(**arguments, seed=seed)[1].max(axis=1) for seed in range(5)]))

    assert typical(0.1) > typical(1) > typical(50)


def test_the_rectangles_lie_everywhere() -> None:
    parts = np.zeros((10, 12))
    for seed in range(20):
        x, _ = mixed(0, 1, seed)
        own = np.arange(COUNT, dtype=np.float32) / np.float32(COUNT)
        parts += (x[:, 0] != own[:, None, None]).sum(axis=0)
    assert parts.min() > 0.3 * parts.max()


def store_of(folder: Path, colours: np.ndarray) -> Store:
    """One picture for each (h, w, 3) array of bytes."""
    paths = [folder / f"{index}.png" for index in range(len(colours))]
    for path, pixels in zip(paths, colours, strict=True):
        Image.fromarray(pixels).save(path)
    return Store(paths)


def test_what_differs_most_is_the_longest_component(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    light = rng.normal(120, 30, (5, 40, 30, 1)) + rng.normal(0, 4, (5, 40, 30, 3))
    colours = np.clip(light, 0, 255).astype(np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 5, seed=0)
    lengths = np.linalg.norm(components, axis=0)
    assert lengths[2] == pytest.approx(30 * np.sqrt(3) / 255, rel=0.1)
    assert lengths[:2] == pytest.approx(4 / 255, rel=0.2)
    assert components[:, 2] / lengths[2] == pytest.approx(1 / np.sqrt(3), abs=0.02)


def test_they_are_the_pixels_covariance(tmp_path: Path) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 3, seed=0)
    pixels = colours.reshape(-1, 3) / 255
    np.testing.assert_allclose(components @ components.T, np.cov(pixels.T, bias=True), atol=1e-6)
    assert (components.max(axis=0) >= -components.min(axis=0)).all()


def test_pictures_of_one_colour_have_none(tmp_path: Path) -> None:
    colours = np.full((2, 3, 3, 3), 77, np.uint8)
    components = principal_components(store_of(tmp_path, colours).get, 2, seed=0)
    assert components == pytest.approx(np.zeros((3, 3)), abs=1e-6)


def test_a_sample_of_many_pictures_that_the_seed_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darknet_py.images.transform.augment._PICTURES", 2)
    colours = np.random.default_rng(6).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)
    store = store_of(tmp_path, colours)
    looked_at: list[int] = []
    get = store.get

    def record(index: int) -> np.ndarray:
        looked_at.append(index)
        return get(index)

    monkeypatch.setattr(store, "get", record)
    first = principal_components(store.get, 9, seed=0)
    assert len(looked_at) == 2
    assert np.array_equal(first, principal_components(store.get, 9, seed=0))
    assert looked_at[:2] == looked_at[2:]
    assert not np.array_equal(first, principal_components(store.get, 9, seed=1))


def test_large_pictures_are_thinned_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.images.transform.augment._PIXELS", 4)
    colours = np.zeros((1, 1, 8, 3), np.uint8)
    colours[0, 0, ::2] = 255
    store = store_of(tmp_path, colours)
    # every second pixel is white, and only those are looked at
    assert principal_components(store.get, 1, seed=0) == pytest.approx(np.zeros((3, 3)), abs=1e-6)


DARKNET = replace(
    EVERYTHING, shear=0, elastic=0, pca=0, erase=0, mixup=0, cutmix=0, min_crop=20, max_crop=40
)
COMPONENTS = np.diag([0.1, 0.2, 0.3])


def pixels(h: int, w: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)


def augmented(
    picture: np.ndarray, ranges: Augmentation, seed: int = 0, shape: tuple[int, ...] = (3, 28, 24)
) -> Floats:
    out = np.full(shape, np.nan, np.float32)
    augment_image(picture, out, ranges, np.random.default_rng(seed), COMPONENTS)
    return out


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 2**32), st.booleans())
def test_one_pass_is_rotate_crop_flip_and_distort_one_after_the_other(
    in_w: int, in_h: int, seed: int, as_bytes: bool
) -> None:
    picture = pixels(in_h, in_w)
    image = np.divide(picture, 255, dtype=np.float32)
    change = draw_change(np.random.default_rng(seed), DARKNET, in_w, in_h, 24, 28)
    places = change.rad, change.scale, 24, 28, change.dx, change.dy, change.aspect
    expected = rotate_crop_image(image, *places)
    if change.flip:
        expected = flip_image(expected)
    expected = distort_image(expected, change.hue, change.saturation, change.exposure)
    one_pass = augmented(picture if as_bytes else image, DARKNET, seed).transpose(1, 2, 0)
    np.testing.assert_allclose(one_pass, expected, atol=1e-5, rtol=0)


def test_the_crop_is_the_c_programs() -> None:
    x = golden("x")
    in_h, in_w, _ = x.shape
    change = Change(0.1, 0.7, 3.5, -2, 1.2)
    out = np.empty((3, 28, 32), np.float32)
    augment(x, out, affine(change, in_w, in_h, 32, 28), UNMOVED, False, None)
    expected = golden("rotate_crop_image__rad0.1_s0.7_w32_h28_dx3.5_dy-2_aspect1.2")
    np.testing.assert_allclose(out.transpose(1, 2, 0), expected, atol=5e-6, rtol=0)


def test_the_colours_are_the_c_programs() -> None:
    x = golden("x")
    in_h, in_w, _ = x.shape
    out = np.empty((3, in_h, in_w), np.float32)
    same_place = affine(Change(), in_w, in_h, in_w, in_h)
    augment(x, out, same_place, UNMOVED, False, (0.1, 1.2, 0.8, 0, 0, 0))
    expected = golden("distort_image__hue0.1_sat1.2_val0.8")
    np.testing.assert_allclose(out.transpose(1, 2, 0), expected, atol=1e-6, rtol=0)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 2**32))
def test_everything_at_once_stays_in_range(in_w: int, in_h: int, seed: int) -> None:
    out = augmented(pixels(in_h, in_w), replace(EVERYTHING, hue=1, elastic=50), seed)
    assert out.min() >= 0
    assert out.max() <= 1


def test_the_same_numbers_make_the_same_picture() -> None:
    picture = pixels(40, 30)
    before = picture.copy()
    assert np.array_equal(augmented(picture, EVERYTHING, 3), augmented(picture, EVERYTHING, 3))
    assert not np.array_equal(augmented(picture, EVERYTHING, 3), augmented(picture, EVERYTHING, 4))
    assert np.array_equal(picture, before)


def test_center_is_the_middle_that_validation_sees() -> None:
    picture = pixels(40, 30)
    expected = fit_image(np.divide(picture, 255, dtype=np.float32), 24, 28, "crop")
    plain = augmented(picture, replace(PLAIN, center=True)).transpose(1, 2, 0)
    np.testing.assert_allclose(plain, expected, atol=1e-6)
    # changed in colour, and mirrored half of the time, all the same
    bent = replace(DARKNET, center=True)
    changed = [augmented(picture, bent, seed) for seed in range(9)]
    assert all(not np.allclose(one.transpose(1, 2, 0), expected, atol=0.01) for one in changed)


def test_a_picture_that_is_not_contiguous() -> None:
    picture = pixels(30, 40).transpose(1, 0, 2)
    expected = augmented(np.ascontiguousarray(picture), DARKNET)
    assert np.array_equal(augmented(picture, DARKNET), expected)


def test_grey_is_the_mean_of_what_colour_would_be() -> None:
    ranges = replace(EVERYTHING, erase=0)
    colour = augmented(pixels(40, 30), ranges, 5)
    grey = augmented(pixels(40, 30), ranges, 5, (1, 28, 24))
    np.testing.assert_allclose(grey[0], colour.mean(axis=0), atol=1e-6)
    erased = augmented(pixels(40, 30), replace(EVERYTHING, erase=1), 5, (1, 28, 24))
    assert erased.shape == (1, 28, 24)
    assert not np.array_equal(erased, grey)


@pytest.mark.parametrize("key", ["shear", "elastic", "pca", "erase"])
def test_each_key_beyond_the_c_program_does_something(key: str) -> None:
    picture = pixels(40, 30)
    on: dict[str, Any] = {key: 1}
    plain, changed = augmented(picture, DARKNET), augmented(picture, replace(DARKNET, **on))
    assert not np.allclose(plain, changed, atol=1e-3)


def test_a_shift_keeps_every_pixel_and_brings_in_black() -> None:
    picture = pixels(28, 24)
    ranges = replace(PLAIN, min_crop=24, max_crop=24, shift=3)
    padded = np.pad(picture, ((3, 3), (3, 3), (0, 0))).astype(np.float32) / 255
    windows = {
        (x, y): padded[y : y + 28, x : x + 24].transpose(2, 0, 1)
        for x in range(7)
        for y in range(7)
    }
    found = set()
    for seed in range(40):
        cut = augmented(picture, ranges, seed)
        (place,) = (p for p, window in windows.items() if np.allclose(cut, window, atol=1e-6))
        found.add(place)
    assert len(found) > 15


def test_shear_leans_columns() -> None:
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[:, 20] = 255
    ranges = replace(PLAIN, min_crop=41, max_crop=41, shear=40)
    for seed in range(5):
        line = augmented(picture, ranges, seed, (3, 41, 41))[0].argmax(axis=1)
        # a straight line that no longer stands
        assert abs(np.diff(line, n=2)).max() <= 1
        assert line[20] == pytest.approx(20, abs=1)
    leans = [int(augmented(picture, ranges, s, (3, 41, 41))[0].argmax(axis=1)[8]) for s in range(9)]
    assert min(leans) < 18
    assert max(leans) > 22


def test_elastic_moves_pixels_about_so_far() -> None:
    h, w = 60, 80
    ramp = np.empty((h, w, 3), np.float32)
    ramp[:] = (np.arange(w, dtype=np.float32) / w)[None, :, None]
    ranges = replace(PLAIN, center=True, elastic=1.5, elastic_sigma=6)
    moves = [
        (augmented(ramp[:, 10:70], ranges, seed, (3, h, h))[0] - ramp[:, 10:70, 0]) * w
        for seed in range(20)
    ]
    assert np.std([move[9:-9, 9:-9] for move in moves]) == pytest.approx(1.5, rel=0.15)


def test_pca_moves_all_pixels_along_the_components() -> None:
    grey = np.full((30, 30, 3), 0.5, np.float32)
    ranges = replace(PLAIN, min_crop=30, max_crop=30, pca=0.5)
    shifts = []
    for seed in range(400):
        out = augmented(grey, ranges, seed, (3, 30, 30))[:, 5:-5, 5:-5] - 0.5
        assert np.ptp(out, axis=(1, 2)).max() < 1e-6
        shifts.append(out[:, 0, 0])
    covariance = np.cov(np.transpose(shifts))
    np.testing.assert_allclose(covariance, (0.5 * COMPONENTS) ** 2, atol=3e-3)
    # without components there is nothing to move along
    still = np.empty((3, 30, 30), np.float32)
    augment_image(grey, still, ranges, np.random.default_rng(0), None)
    np.testing.assert_allclose(still, 0.5, atol=1e-6)


def test_erase_is_a_probability() -> None:
    white = np.ones((30, 30, 3), np.float32)
    ranges = replace(PLAIN, center=True, erase=0.3, erase_min=0.1, erase_max=0.2)
    shares = [(augmented(white, ranges, s, (3, 30, 30)) < 1).mean() for s in range(300)]
    hit = [share for share in shares if share]
    assert len(hit) / len(shares) == pytest.approx(0.3, abs=0.08)
    assert 0.08 < min(hit) < max(hit) < 0.22
