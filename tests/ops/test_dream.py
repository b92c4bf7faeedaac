from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.dream import dream_delta, dream_limit, guide_delta, one_hot, stand_out
from tests.ops.windows import SEEDS
from tests.support.reference import Shape, random_array

Y = random_array((2, 5, 4, 6), 0, "float32")


@given(st.tuples(*[st.integers(1, 4)] * 4), st.sampled_from([-0.5, 0.0, 1.0]), SEEDS)
def test_dream_delta(shape: Shape, thresh: float, seed: int) -> None:
    y = random_array(shape, seed)
    before = y.copy()
    delta = dream_delta(y, thresh)
    np.testing.assert_array_equal(y, before)
    for picture, found in zip(y, delta, strict=True):
        limit = picture.mean() + thresh * picture.std()
        far = np.abs(picture - limit) > 1e-12
        np.testing.assert_array_equal(found[far], np.where(picture > limit, picture, 0)[far])


def test_dream_delta_by_hand() -> None:
    """Mean 3, standard deviation 2 (not of a sample): above 3, above 5; none above 7."""
    y = np.array([1, 1, 1, 1, 3, 5, 5, 5, 5], np.float32).reshape(1, 3, 3, 1)
    y[0, 1, 1, 0] = 3
    deviation = np.sqrt(32 / 9)
    assert dream_delta(y, 0.0).reshape(-1).tolist() == [0, 0, 0, 0, 0, 5, 5, 5, 5]
    assert dream_delta(y, 1.99 / deviation).any()
    assert not dream_delta(y, 2.01 / deviation).any()
    assert dream_delta(y, 1.0).dtype == np.float32


def test_dream_delta_of_each_picture_by_itself() -> None:
    y = np.array([[1.0, 2], [100, 200]]).reshape(2, 1, 1, 2)
    assert dream_delta(y, 0.0).reshape(-1).tolist() == [0, 2, 0, 200]


@pytest.mark.parametrize("channels", [(1, 4), (4, 1), (1, 2, 3, 5)])
def test_the_limit_of_some_channels_is_theirs_alone(channels: tuple[int, ...]) -> None:
    limit = dream_limit(Y, 1.5, channels)
    assert limit.shape == (2, 1, 1, 1)
    assert limit.dtype == np.float32
    for n in range(2):
        part = Y[n][..., list(channels)]
        assert limit[n] == pytest.approx(part.mean() + 1.5 * part.std(), rel=1e-5)


@pytest.mark.parametrize("channels", [(5, 2), (0, 1, 4), (1, 2, 3, 4)])
def test_other_channels_do_not_stand_out(channels: tuple[int, ...]) -> None:
    limit = np.float32(0.1).reshape(1, 1, 1, 1)
    found = stand_out(Y, limit, channels)
    expected = np.where(Y > 0.1, Y, 0)
    expected[..., [c for c in range(6) if c not in channels]] = 0
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("index", [0, 7, 5 * 4 * 6 - 1])
def test_one_hot_counts_as_darknet_does(index: int) -> None:
    found = one_hot(Y, index).transpose(0, 3, 1, 2).reshape(2, -1)
    np.testing.assert_array_equal(found, np.eye(5 * 4 * 6, dtype=np.float32)[[index, index]])


def test_each_pixel_gets_the_guide_that_fits_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.ops.dream._ROWS", 7)
    features = random_array((1, 1, 9, 6), 1, "float32")
    found = guide_delta(Y, features)
    for place in np.ndindex(2, 5, 4):
        products = [float(np.dot(Y[place].astype(float), one)) for one in features[0, 0]]
        np.testing.assert_array_equal(found[place], features[0, 0, np.argmax(products)])
