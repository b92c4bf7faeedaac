from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.transform.mix import mix_batch
from tests.images.sets import PLAIN

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
