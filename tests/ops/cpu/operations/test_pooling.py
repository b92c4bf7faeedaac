from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from darknet_py.ops import dense
from darknet_py.ops.activations import activate_backward
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Epilogue
from darknet_py.ops.cpu.maxpool import maxpool_backward
from darknet_py.ops.cpu.operations import pooling as kernels
from tests.ops.windows import Pool, pools
from tests.support.kernels import THREADS, Map, address, map_of, run, slopes
from tests.support.reference import random_array


@settings(deadline=None)
@given(pool=pools(), threads=st.sampled_from(THREADS))
def test_maxpool_backward(pool: Pool, threads: int) -> None:
    """Whole numbers: many are equal, and the first of them counts."""
    x = random_array(pool.x_shape, pool.seed, "float32").round()
    delta = random_array(pool.y_shape, pool.seed + 1, "float32")
    windows = kernels.windows_of(*pool.window)
    x_map, delta_map, out = map_of(x, 0), map_of(delta, 2), Map(x.shape)
    out.values[...] = 9
    run(
        kernels.maxpool_backward,
        threads,
        x=x_map.view,
        delta=delta_map.view,
        out=out.view,
        windows=windows,
    )
    expected = maxpool_backward(delta, x, *pool.window)
    np.testing.assert_allclose(out.values, expected, rtol=1e-6, atol=1e-6)
    assert all(some.is_sound() for some in (x_map, delta_map, out))
    reference = np.zeros(x.shape)
    kernels.maxpool_backward_reference(delta.astype("d"), x, reference, windows)
    np.testing.assert_allclose(reference, expected, rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(pool=pools(), threads=st.sampled_from(THREADS))
def test_maxpool(pool: Pool, threads: int) -> None:
    x = random_array(pool.x_shape, pool.seed, "float32")
    windows = kernels.windows_of(*pool.window)
    expected = np.zeros(pool.y_shape, "f")
    kernels.maxpool_reference(x, expected, windows)
    assume(np.isfinite(expected).all())
    x_map, y_map = map_of(x, 0), Map(pool.y_shape)
    run(kernels.maxpool, threads, x=x_map.view, y=y_map.view, windows=windows)
    np.testing.assert_array_equal(y_map.values, expected)
    assert x_map.is_sound()
    assert y_map.is_sound()


@settings(deadline=None)
@given(pool=pools(), threads=st.sampled_from(THREADS))
def test_local_avgpool(pool: Pool, threads: int) -> None:
    assume(pool.padding <= 2 * pool.size - 2)
    x = random_array(pool.x_shape, pool.seed, "float32")
    windows = kernels.windows_of(*pool.window)
    expected = np.zeros(pool.y_shape)
    kernels.local_avgpool_reference(x.astype("d"), expected, windows)
    x_map, y_map = map_of(x, 0), Map(pool.y_shape)
    run(kernels.local_avgpool, threads, x=x_map.view, y=y_map.view, windows=windows)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-5, atol=1e-6)
    assert x_map.is_sound()
    assert y_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(
    ("c", "out_channels"), [(1, 1), (7, 1), (7, 3), (40, 1), (40, 20), (50, 17), (33, 33)]
)
def test_maxpool_depth(c: int, out_channels: int, threads: int) -> None:
    """Below zero only: the zeros that pad the channels would win."""
    x = -1 - np.abs(random_array((2, 3, 4, c), 1, "float32"))
    x_map, y_map = map_of(x, 1), Map((2, 3, 4, out_channels))
    run(kernels.maxpool_depth, threads, x=x_map.view, y=y_map.view, out_channels=out_channels)
    np.testing.assert_array_equal(y_map.values, kernels.maxpool_depth_reference(x, out_channels))
    assert x_map.is_sound()
    assert y_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("activation", ["linear", "leaky", "relu", "ramp"])
def test_squares_backward(activation: str, threads: int) -> None:
    """Of 2x2 side by side, through the activation before them."""
    x = random_array((2, 4, 6, 20), 1, "float32").round()
    delta = random_array((2, 2, 3, 20), 2, "float32")
    x_map, delta_map, out = map_of(x), map_of(delta), Map(x.shape)
    run(
        kernels.maxpool2_backward,
        threads,
        x=x_map.view,
        other=delta_map.view,
        y=out.view,
        channels=ChannelArrays(),
        epilogue=Epilogue(slopes=address(given_slopes := slopes(activation))),
    )
    expected = np.zeros(x.shape)
    kernels.maxpool_backward_reference(delta, x, expected, kernels.windows_of(2, 2, 0))
    np.testing.assert_allclose(
        out.values, activate_backward(expected, x, activation), rtol=1e-6, atol=1e-6
    )
    assert all(some.is_sound() for some in (x_map, delta_map, out)), given_slopes


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_avgpool(shape: tuple[int, ...], threads: int) -> None:
    x = random_array(shape, 1, "float32")
    x_map, y_map = map_of(x), Map((shape[0], 1, 1, shape[3]))
    run(kernels.avgpool, threads, x=x_map.view, y=y_map.view)
    expected = kernels.avgpool_reference(x.astype("d"))
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-6, atol=1e-6)
    assert y_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_avgpool_backward(shape: tuple[int, ...], threads: int) -> None:
    n, h, w, c = shape
    delta = random_array((n, 1, 1, c), 1, "float32")
    delta_map, out = map_of(delta, 0), Map(shape)
    run(kernels.avgpool_backward, threads, delta=delta_map.view, out=out.view)
    np.testing.assert_array_equal(out.values, dense.avgpool_backward(delta, (n, h, w, c)))
    assert out.is_sound()
