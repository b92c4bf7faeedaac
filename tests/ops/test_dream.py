from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.dream import dream_limit, guide_delta, one_hot, stand_out
from darknet_py.ops.update import dream_delta
from tests.support.reference import random_array

Y = random_array((2, 5, 4, 6), 0, "float32")


def test_a_limit_and_what_is_above_it_are_dream_delta() -> None:
    found = stand_out(Y, dream_limit(Y, 0.7, ()), ())
    np.testing.assert_array_equal(found, dream_delta(Y, 0.7))
    assert found.dtype == np.float32


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
