from __future__ import annotations

import numpy as np
import pytest

from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.reconstruct import Reconstruction, noise, to_neighbours
from tests.support.dreams import make_network, make_picture


@pytest.mark.parametrize("size", [1, 2])
def test_neighbours_by_the_c_programs_loops(size: int) -> None:
    image = np.random.default_rng(0).random((6, 7, 2)).astype(np.float32)
    expected = np.zeros_like(image)
    for y, x in np.ndindex(6, 7):
        for yy in range(max(y - size, 0), min(y + size, 5) + 1):
            for xx in range(max(x - size, 0), min(x + size, 6) + 1):
                expected[y, x] += image[yy, xx] - image[y, x]
    np.testing.assert_allclose(to_neighbours(image, size), expected, atol=1e-5)


def test_steps_gather_momentum() -> None:
    network, source = make_network().truncated(2), make_picture(24, 24)
    options = DreamOptions(rate=0.01, momentum=0.5, smooth_rate=0.0, norm=False)
    found = Reconstruction(network, source, 2, options)
    start = found.picture.copy()
    found.step()
    first = found.picture - start
    before = found.picture.copy()
    found.step()
    inside = (found.picture > 0) & (found.picture < 1) & (before > 0) & (before < 1)
    (wanted,) = network.outputs_of(source.transpose(2, 0, 1)[None], [2])
    (y,) = network.outputs_of(before.transpose(2, 0, 1)[None], [2])
    error = np.abs(wanted - y).mean()
    assert error > 0
    # what is left of the second step beside half of the first is its own delta
    own = (found.picture - before - 0.5 * first)[inside] / 0.01
    assert np.isfinite(own).all()
    assert 0.01 < np.abs(own).mean() < 100


def test_without_a_seed_of_its_own_it_is_another_noise() -> None:
    network, source = make_network().truncated(2), make_picture(24, 24)
    one, other = (Reconstruction(network, source, 2, DreamOptions(seed=s)).picture for s in (1, 2))
    assert np.abs(one - other).max() > 0.1


def test_noise() -> None:
    picture = noise(np.random.default_rng(0), 100, 120, 3)
    assert picture.shape == (100, 120, 3)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert picture.mean() == pytest.approx(0.5, abs=0.01)
    assert picture.std() == pytest.approx(0.24, abs=0.02)
