"""The least and the largest number, whatever reads them."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import bounds as module
from darknet_py.ops.bounds import bounds


@pytest.mark.parametrize("size", [1, 1000, 4099])
@pytest.mark.parametrize("place", [0, 0.3, 1])
def test_by_threads_as_by_one(size: int, place: float, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(size).standard_normal((1, size)).astype(np.float32)
    at = int(place * (size - 1))
    for value in (7.0, -7.0, np.inf, -np.inf, np.nan):
        x[0, at] = value
        monkeypatch.setattr(module, "_LARGE", 1 << 20)
        alone = bounds(x)
        monkeypatch.setattr(module, "_LARGE", 0)
        np.testing.assert_equal(bounds(x), alone)
        assert np.isnan(value) == np.isnan(alone[0]) == np.isnan(alone[1])
        assert np.isnan(value) or value in alone


def test_what_is_not_in_order_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGE", 0)
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    assert bounds(x.T[1:]) == (1.0, 11.0)
