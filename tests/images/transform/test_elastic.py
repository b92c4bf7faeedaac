from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images.transform.elastic import draw_displacement


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
