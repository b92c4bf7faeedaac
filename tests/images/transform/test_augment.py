from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.images import (
    augment_image,
    distort_image,
    fit_image,
    flip_image,
    rotate_crop_image,
)
from darknet_py.images.transform.random_affine import Change, affine, draw_change
from darknet_py.ops.cpu.augment import UNMOVED, augment
from tests.images.pictures import Floats, golden
from tests.images.sets import EVERYTHING, PLAIN

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
