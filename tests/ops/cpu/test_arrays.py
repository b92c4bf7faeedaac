from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.arrays import array, to_host


def test_array_is_a_contiguous_copy() -> None:
    host = np.arange(6, dtype=np.float64).reshape(2, 3).T
    x = array(host)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    host[:] = -1
    np.testing.assert_array_equal(x, [[0, 3], [1, 4], [2, 5]])
    assert array(host, np.float64).dtype == np.float64
    assert array([[1, 2]]).shape == (1, 2)


def test_to_host() -> None:
    x = array([1, 2, 3])
    np.testing.assert_array_equal(to_host(x), [1, 2, 3])
    assert float(to_host(x.sum())) == 6
