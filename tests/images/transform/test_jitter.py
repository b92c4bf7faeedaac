"""One pass, against the C program's operations one after the other."""

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
)

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
