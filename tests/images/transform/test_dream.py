"""Views, details of all sizes, smoothness."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images import (
    View,
    crop_image,
    flip_image,
    from_view,
    moments,
    resize_image,
    to_view,
    total_variation,
    variation_delta,
)
from darknet_py.images.transform.dream import level_details, merge, split
from tests.support.reference import random_array

VIEWS = [
    View(30, 20),
    View(22, 15, 3, -5, False),
    View(22, 15, -8, 7, True),
    View(12, 8, 0, 2, True),
    View(41, 33, 1, 1, True),
    View(1, 1, 1, 0, True),
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("c", [1, 3])
def test_moved_scaled_and_mirrored(view: View, c: int) -> None:
    image = np.random.default_rng(0).random((20, 30, c)).astype(np.float32)
    before = image.copy()
    expected = resize_image(crop_image(image, view.dx, view.dy, 30, 20), view.w, view.h)
    expected[-1] = resize_image(crop_image(image, view.dx, view.dy, 30, 20)[-1:], view.w, 1)[0]
    expected = flip_image(expected) if view.flip else expected
    found = to_view(image, view)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, expected.transpose(2, 0, 1), atol=1e-6)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("c", [1, 3])
def test_back_again(view: View, c: int) -> None:
    planes = np.random.default_rng(0).random((c, view.h, view.w)).astype(np.float32)
    image = planes.transpose(1, 2, 0)
    image = flip_image(image) if view.flip else image
    scaled = resize_image(image, 30, 20)
    scaled[-1] = resize_image(image[-1:], 30, 1)[0]
    expected = crop_image(scaled, -view.dx, -view.dy, 30, 20)
    found = from_view(planes, view, 30, 20)
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_row_is_black() -> None:
    """Where resize_image's last one is, as the C program's."""
    image = np.full((224, 9, 3), 0.7, np.float32)
    assert resize_image(image, 9, 168)[-1].max() < 0.01
    np.testing.assert_allclose(to_view(image, View(9, 168)), 0.7, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 4, 1), (200, 301, 3)])
def test_moments(shape: tuple[int, int, int]) -> None:
    x = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    mean, deviation = moments(x)
    assert mean == pytest.approx(x.astype(np.float64).mean(), rel=1e-9)
    assert deviation == pytest.approx(x.astype(np.float64).std(), rel=1e-9)


def test_moments_of_what_is_the_same_everywhere() -> None:
    assert moments(np.full((5, 6, 3), 0.25, np.float32)) == (0.25, 0.0)


@pytest.mark.parametrize("shape", [(32, 48, 3), (17, 9, 3), (5, 1, 1), (1, 1, 3)])
@pytest.mark.parametrize("levels", [0, 1, 4])
def test_what_is_split_is_put_together_again(shape: tuple[int, int, int], levels: int) -> None:
    image = random_array(shape, 0, "float32")
    bands = split(image, levels)
    assert [band.shape[:2] for band in bands] == [
        (-(-shape[0] // 2**level), -(-shape[1] // 2**level)) for level in range(levels + 1)
    ]
    np.testing.assert_allclose(merge(bands), image, atol=1e-5)


def test_details_of_all_sizes_become_equally_strong() -> None:
    x = np.arange(64, dtype=np.float32)
    fine, coarse = np.cos(np.pi * x), 50 * np.sin(2 * np.pi * x / 64)
    image = np.tile((fine + coarse)[None, :, None], (64, 1, 3)).astype(np.float32)
    level = level_details(image, 3)
    assert level.dtype == np.float32
    row = level[32, :, 0]
    strength = np.abs(np.fft.rfft(row - row.mean()))
    assert 0.1 < strength[32] / strength[1] < 3  # 1 : 25 before


def test_a_flat_picture_stays() -> None:
    flat = np.full((16, 16, 3), 0.3, np.float32)
    np.testing.assert_allclose(level_details(flat, 0), flat, atol=1e-6)
    assert np.isfinite(level_details(flat, 3)).all()


def test_the_argument_is_left_alone() -> None:
    image = random_array((8, 8, 3), 0, "float32")
    before = image.copy()
    level_details(image, 2)
    np.testing.assert_array_equal(image, before)


def test_of_a_step() -> None:
    image = np.zeros((4, 6, 1))
    image[:, 3:] = 2.0
    assert total_variation(image) == pytest.approx(4 * 2 + 20 * 1e-3, rel=1e-3)


@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 6, 1), (6, 1, 1)])
def test_the_delta_is_the_negative_gradient(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).random(shape)
    delta = variation_delta(image)
    assert delta.dtype == np.float64
    flat, step = image.reshape(-1), 1e-7
    for place in range(flat.size):
        value = flat[place]
        flat[place] = value + step
        above = total_variation(image)
        flat[place] = value - step
        slope = (above - total_variation(image)) / (2 * step)
        flat[place] = value
        assert delta.reshape(-1)[place] == pytest.approx(-slope, abs=1e-5)


def test_it_smooths() -> None:
    image = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    before = total_variation(image)
    for _ in range(20):
        image += np.float32(0.02) * variation_delta(image)
    assert image.dtype == np.float32
    assert total_variation(image) < 0.7 * before
