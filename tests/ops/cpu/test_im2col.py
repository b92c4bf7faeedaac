from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.cpu.im2col import col2im, im2col
from tests.ops.windows import Conv, convs
from tests.support.reference import random_array


def written_out(conv: Conv, x: np.ndarray) -> np.ndarray:
    """Each window, value by value: (groups, n, out_h, out_w, size size c/groups)."""
    n, out_h, out_w, _ = conv.y_shape
    size, part = conv.size, conv.c // conv.groups
    columns = np.zeros((conv.groups, n, out_h, out_w, size * size * part))
    for group, b, i, j, ky, kx, k in np.ndindex(conv.groups, n, out_h, out_w, size, size, part):
        in_y, in_x = i * conv.stride - conv.padding + ky, j * conv.stride - conv.padding + kx
        if 0 <= in_y < conv.h and 0 <= in_x < conv.w:
            at = (ky * size + kx) * part + k
            columns[group, b, i, j, at] = x[b, in_y, in_x, group * part + k]
    return columns


@given(convs(), st.data())
def test_im2col(conv: Conv, data: st.DataObject) -> None:
    x = random_array(conv.x_shape, conv.seed)
    expected = written_out(conv, x)
    how = conv.size, conv.stride, conv.padding, conv.groups
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
    back = col2im(columns, conv.x_shape, conv.size, conv.stride, conv.padding)
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
