"""Blur, means of windows, the largest of channels: against loops, and as transposes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from darknet_py.ops import pooling
from darknet_py.ops.cpu.conv import conv2d
from darknet_py.ops.sizes import conv_outs
from tests.ops.windows import Pool, pools
from tests.support.reference import random_array, windows

SHAPES = pytest.mark.parametrize(
    "shape", [(2, 5, 6, 3), (1, 1, 1, 2), (1, 1, 4, 1), (2, 7, 2, 2), (1, 2, 9, 4)]
)
STRIDES = pytest.mark.parametrize("stride", [1, 2, (1, 2), (3, 1)])
WEIGHTS = {2: [0.5, 0.5], 3: [0.25, 0.5, 0.25]}


@STRIDES
@SHAPES
@pytest.mark.parametrize("size", [2, 3])
def test_blur(size: int, shape: tuple[int, ...], stride: int | tuple[int, int]) -> None:
    """As the depthwise convolution that it is; its gradient is the transpose."""
    if min(conv_outs(shape[1], shape[2], size, stride, size // 3)) < 1:
        return
    x, c = random_array(shape, 1), shape[3]
    weights = np.tile(np.outer(WEIGHTS[size], WEIGHTS[size])[:, :, None], (c, 1, 1, 1))
    expected = conv2d(x, weights, stride, size // 3, c)
    y = pooling.blur(x, size, stride)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    delta = random_array(y.shape, 2)
    x_delta = pooling.blur_backward(delta, shape, size, stride)
    assert x_delta.shape == shape
    assert (x_delta * x).sum() == pytest.approx((delta * y).sum(), abs=1e-9)


@given(pool=pools())
@settings(deadline=None)
def test_local_avgpool(pool: Pool) -> None:
    if pool.padding > 2 * pool.size - 2:  # some windows are outside
        return
    x = random_array(pool.x_shape, pool.seed)
    y = pooling.local_avgpool(x, *pool.window)
    for i, places in enumerate(windows(pool.h, pool.w, *pool.window)):
        inside = np.stack([x[:, row, column] for row, column in places])
        flat = y.reshape(pool.n, -1, pool.c)
        np.testing.assert_allclose(flat[:, i], inside.mean(axis=0), rtol=1e-10, atol=1e-12)
    delta = random_array(y.shape, 2)
    x_delta = pooling.local_avgpool_backward(delta, x.shape, *pool.window)
    assert (x_delta * x).sum() == pytest.approx((delta * y).sum(), abs=1e-9)


@pytest.mark.parametrize("out_channels", [1, 2, 3, 5, 7])
def test_maxpool_depth(out_channels: int) -> None:
    """Whole numbers: many are equal, and the first of them gets the delta."""
    x = random_array((2, 3, 4, 7), 1).round()
    y = pooling.maxpool_depth(x, out_channels)
    delta = random_array(y.shape, 2)
    expected = np.zeros_like(x)
    for b, row, column, g in np.ndindex(y.shape):
        channels = x[b, row, column, g::out_channels]
        assert y[b, row, column, g] == channels.max()
        expected[b, row, column, g + out_channels * channels.argmax()] = delta[b, row, column, g]
    x_delta = pooling.maxpool_depth_backward(delta, x, out_channels)
    np.testing.assert_array_equal(x_delta, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_stay(dtype: str) -> None:
    x = random_array((1, 4, 4, 3), 1, dtype)
    assert pooling.blur(x, 3, 2).dtype == dtype
    assert pooling.blur_backward(x, (1, 8, 8, 3), 3, 2).dtype == dtype
    assert pooling.local_avgpool(x, 3, 1, 2).dtype == dtype
    assert pooling.local_avgpool_backward(x, x.shape, 3, 1, 2).dtype == dtype
    assert pooling.maxpool_depth_backward(x[..., :2], x, 2).dtype == dtype


def test_nan_passes() -> None:
    x = np.zeros((1, 1, 3, 4))
    x[0, 0, 1, 2] = np.nan
    assert np.isnan(pooling.maxpool_depth(x, 2)).sum() == 1
    assert np.isnan(pooling.local_avgpool(x, 2, 1, 0)).sum() == 0
    assert np.isnan(pooling.local_avgpool(x, 2, 1, 1)).sum() == 2
