from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darknet_py.ops import dense
from darknet_py.ops.cpu.maxpool import maxpool_backward
from darknet_py.ops.cpu.operations import pooling_backward_kernel as kernels
from tests.ops.windows import Pool, pools
from tests.support.kernels import THREADS, Map, map_of, padded, run
from tests.support.reference import random_array


@settings(deadline=None)
@given(pool=pools(), threads=st.sampled_from(THREADS))
def test_maxpool_backward(pool: Pool, threads: int) -> None:
    """Whole numbers: many are equal, and the first of them counts."""
    x = random_array(pool.x_shape, pool.seed, "float32").round()
    delta = random_array(pool.y_shape, pool.seed + 1, "float32")
    n, h, w, c = x.shape
    size, stride, padding = pool.window
    x_map, delta_map, out = map_of(x, 0), map_of(delta, 2), Map(x.shape)
    out.values[...] = 9
    run(
        kernels.maxpool_backward,
        threads,
        batch=n,
        h=h,
        w=w,
        out_h=delta.shape[1],
        out_w=delta.shape[2],
        size=size,
        stride=stride,
        front=padding // 2,
        vectors=padded(c) // padded(1),
        **x_map.pitches("x"),
        **delta_map.pitches("delta"),
        **out.pitches("out"),
    )
    expected = maxpool_backward(delta, x, *pool.window)
    np.testing.assert_allclose(out.values, expected, rtol=1e-6, atol=1e-6)
    assert all(some.is_sound() for some in (x_map, delta_map, out))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_avgpool_backward(shape: tuple[int, ...], threads: int) -> None:
    n, h, w, c = shape
    delta = random_array((n, 1, 1, c), 1, "float32")
    delta_map, out = map_of(delta, 0), Map(shape)
    run(
        kernels.avgpool_backward,
        threads,
        delta=delta_map.address,
        delta_image=delta_map.image,
        batch=n,
        h=h,
        w=w,
        vectors=padded(c) // padded(1),
        **out.pitches("out"),
    )
    np.testing.assert_array_equal(out.values, dense.avgpool_backward(delta, (n, h, w, c)))
    assert out.is_sound()
