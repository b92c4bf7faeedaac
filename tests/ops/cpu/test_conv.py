"""None"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darknet_py.ops.cpu.conv import (
    col2im,
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weights,
    im2col,
    local2d,
    local2d_backward_input,
    local2d_backward_weights,
)
from darknet_py.ops.sizes import pair
from tests.ops.windows import Conv, convs
from tests.support import reference
from tests.support.reference import random_array


def written_out(conv: Conv, x: np.ndarray) -> np.ndarray:
    """Each window, value by value: (groups, n, out_h, out_w, size size c/groups)."""
    n, out_h, out_w, _ = conv.y_shape
    size, part = conv.size, conv.c // conv.groups
    down, right = pair(conv.stride)
    columns = np.zeros((conv.groups, n, out_h, out_w, size * size * part))
    for group, b, i, j, ky, kx, k in np.ndindex(conv.groups, n, out_h, out_w, size, size, part):
        in_y = i * down - conv.padding + ky * conv.dilation
        in_x = j * right - conv.padding + kx * conv.dilation
        if 0 <= in_y < conv.h and 0 <= in_x < conv.w:
            at = (ky * size + kx) * part + k
            columns[group, b, i, j, at] = x[b, in_y, in_x, group * part + k]
    return columns


@given(convs(), st.data())
def test_im2col(conv: Conv, data: st.DataObject) -> None:
    x = random_array(conv.x_shape, conv.seed)
    expected = written_out(conv, x)
    how = conv.size, *conv.window
    columns = im2col(x, *how)
    np.testing.assert_array_equal(columns, expected.reshape(columns.shape))
    top = data.draw(st.integers(0, expected.shape[2] - 1))
    bottom = data.draw(st.integers(top + 1, expected.shape[2]))
    columns = im2col(x, *how, range(top, bottom))
    np.testing.assert_array_equal(columns, expected[:, :, top:bottom].reshape(columns.shape))


@given(convs())
def test_col2im_is_its_transpose(conv: Conv) -> None:
    x = random_array(conv.x_shape, conv.seed)
    expected = written_out(conv, x)
    expected = expected.reshape(conv.groups, -1, expected.shape[4])
    columns = random_array(expected.shape, conv.seed + 1)
    before = columns.copy()
    back = col2im(columns, conv.x_shape, conv.size, conv.stride, conv.padding, conv.dilation)
    np.testing.assert_array_equal(columns, before)
    assert back.shape == x.shape
    assert (back * x).sum() == pytest.approx((columns * expected).sum(), abs=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_types_stay(dtype: str) -> None:
    x = np.array([1, np.nan, np.inf, -0.0], dtype).reshape(1, 2, 2, 1)
    columns = im2col(x, 1, 1, 0, 1)
    assert columns.dtype == dtype
    np.testing.assert_array_equal(columns.reshape(x.shape), x)
    assert col2im(columns, (1, 2, 2, 1), 1, 1, 0).dtype == dtype


DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}


def close(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    assert found.dtype == dtype
    scale = np.abs(expected).max(initial=1)
    np.testing.assert_allclose(found, expected, 0, TOLERANCES[dtype] * scale)


@DTYPES
@given(conv=convs())
@settings(max_examples=30)
def test_conv2d(dtype: str, conv: Conv) -> None:
    """Forward against loops; backward as the transpose: dot products with forward are equal."""
    size, seed, window = conv.size, conv.seed, conv.window
    x = random_array(conv.x_shape, seed, dtype)
    weights = random_array(conv.weights_shape, seed + 1, dtype)
    delta = random_array(conv.y_shape, seed + 2, dtype)
    before = x.copy(), weights.copy(), delta.copy()
    expected = reference.conv2d(x, weights, *window)
    close(conv2d(x, weights, *window), expected, dtype)
    x_delta = conv2d_backward_input(delta, weights, conv.x_shape, *window)
    updates = conv2d_backward_weights(delta, x, size, *window)
    assert (x_delta.shape, x_delta.dtype) == (x.shape, x.dtype)
    assert (updates.shape, updates.dtype) == (weights.shape, weights.dtype)
    total = (delta * expected).sum()
    tolerance = TOLERANCES[dtype] * max(np.abs(delta * expected).sum(), 1)
    assert (x_delta * x).sum(dtype=float) == pytest.approx(total, abs=tolerance)
    assert (updates * weights).sum(dtype=float) == pytest.approx(total, abs=tolerance)
    for array, old in zip((x, weights, delta), before, strict=True):
        np.testing.assert_array_equal(array, old)


@given(convs())
@settings(max_examples=20)
def test_each_value_of_conv2d_backward(conv: Conv) -> None:
    """One input, one weight at a time: a dot product alone could hide two that are exchanged."""
    size, seed, window = conv.size, conv.seed, conv.window
    delta = random_array(conv.y_shape, seed)
    rng = np.random.default_rng(seed)
    x, weights = random_array(conv.x_shape, seed + 1), random_array(conv.weights_shape, seed + 2)
    x_delta = conv2d_backward_input(delta, weights, conv.x_shape, *window)
    updates = conv2d_backward_weights(delta, x, size, *window)
    for _ in range(3):
        at = tuple(rng.integers(conv.x_shape))
        one = np.zeros(conv.x_shape)
        one[at] = 1
        y = reference.conv2d(one, weights, *window)
        assert x_delta[at] == pytest.approx((delta * y).sum(), abs=1e-10)
        at = tuple(rng.integers(conv.weights_shape))
        one = np.zeros(conv.weights_shape)
        one[at] = 1
        y = reference.conv2d(x, one, *window)
        assert updates[at] == pytest.approx((delta * y).sum(), abs=1e-10)


@DTYPES
@given(conv=convs(max_groups=1, max_dilation=1))
@settings(max_examples=20)
def test_local2d(dtype: str, conv: Conv) -> None:
    size, seed, stride, padding = conv.size, conv.seed, conv.stride, conv.padding
    x = random_array(conv.x_shape, seed, dtype)
    weights = random_array(conv.local_shape, seed + 1, dtype)
    delta = random_array(conv.y_shape, seed + 2, dtype)
    expected = reference.local2d(x, weights, stride, padding)
    close(local2d(x, weights, stride, padding), expected, dtype)
    x_delta = local2d_backward_input(delta, weights, conv.x_shape, stride, padding)
    updates = local2d_backward_weights(delta, x, size, stride, padding)
    assert (x_delta.shape, x_delta.dtype) == (x.shape, x.dtype)
    assert (updates.shape, updates.dtype) == (weights.shape, weights.dtype)
    total = (delta * expected).sum()
    tolerance = TOLERANCES[dtype] * max(np.abs(delta * expected).sum(), 1)
    assert (x_delta * x).sum(dtype=float) == pytest.approx(total, abs=tolerance)
    assert (updates * weights).sum(dtype=float) == pytest.approx(total, abs=tolerance)


def test_nan_reaches_what_it_takes_part_in() -> None:
    x = np.ones((1, 5, 5, 2), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = conv2d(x, np.ones((2, 3, 3, 1), np.float32), 1, 1, 2)
    expected = np.zeros((5, 5, 2), bool)
    expected[:2, :2, 0] = True
    np.testing.assert_array_equal(np.isnan(y[0]), expected)
