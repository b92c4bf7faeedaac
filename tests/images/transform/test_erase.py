from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.transform.erase import erase_rectangle


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
