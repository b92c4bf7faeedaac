from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images.transform.pyramid import level_details, merge, split
from tests.support.reference import random_array


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
