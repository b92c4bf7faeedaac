from __future__ import annotations

import numpy as np

from darknet_py.tasks.filters.blur import blur


def test_a_point_becomes_a_gaussian() -> None:
    x = np.zeros((1, 1, 21, 21), np.float32)
    x[0, 0, 10, 10] = 1
    soft = blur(x, 1.5)
    assert soft.dtype == np.float32
    assert abs(soft.sum() - 1) < 1e-6
    places = np.arange(21) - 10
    for axis in (2, 3):
        profile = soft.sum(axis=axis)[0, 0]
        deviation = np.sqrt((profile * places**2).sum())
        assert abs(deviation - 1.5) < 0.02
    np.testing.assert_allclose(soft, soft.transpose(0, 1, 3, 2))


def test_edges_join_and_channels_keep_their_sums() -> None:
    x = np.random.default_rng(0).random((2, 3, 6, 8)).astype(np.float64)
    soft = blur(x, 0.8)
    np.testing.assert_allclose(soft.sum(axis=(2, 3)), x.sum(axis=(2, 3)))
    np.testing.assert_allclose(np.roll(soft, 3, axis=3), blur(np.roll(x, 3, axis=3), 0.8))
    assert blur(x, 0) is x
