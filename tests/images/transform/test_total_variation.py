from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images import total_variation, variation_delta


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
