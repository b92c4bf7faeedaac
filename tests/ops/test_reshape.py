from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.reshape import (
    concat,
    concat_backward,
    crop,
    crop_backward,
    flatten_chw,
    flatten_chw_backward,
    reorg,
    reorg_backward,
    reorg_reverse,
    reorg_reverse_backward,
    shortcut,
    shortcut_backward,
    to_chw,
    to_hwc,
    upsample,
    upsample_backward,
)
from tests.ops.windows import SEEDS
from tests.support import reference
from tests.support.reference import as_map, memory, random_array

SMALL = st.integers(1, 4)
SHAPES = st.tuples(SMALL, SMALL, SMALL, SMALL)
SCALES = st.sampled_from([1.0, 2.0, -0.5])


class Rendezvous(NamedTuple):
    """Two maps, one of which has `times` the height and width of the other, rounded down."""

    shape: reference.Shape
    other: reference.Shape


@st.composite
def meetings(draw: st.DrawFn) -> Rendezvous:
    n, h, w, times = (draw(st.integers(1, 3)) for _ in range(4))
    more_h, more_w = draw(st.integers(0, h - 1)), draw(st.integers(0, w - 1))
    small = n, h, w, draw(st.integers(1, 5))
    large = n, h * times + more_h, w * times + more_w, draw(st.integers(1, 5))
    return Rendezvous(*((small, large) if draw(st.booleans()) else (large, small)))


def dot(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float((one * other).sum())


@given(SHAPES, SEEDS)
def test_orders(shape: reference.Shape, seed: int) -> None:
    x = random_array(shape, seed)
    n, h, w, c = shape
    assert to_chw(x).shape == (n, c, h, w)
    assert to_chw(x).flags.c_contiguous
    np.testing.assert_array_equal(to_chw(x).reshape(-1), memory(x))
    assert to_hwc(to_chw(x)).flags.c_contiguous
    np.testing.assert_array_equal(to_hwc(to_chw(x)), x)
    assert flatten_chw(x).shape == (n, 1, 1, h * w * c)
    np.testing.assert_array_equal(flatten_chw(x).reshape(-1), memory(x))
    np.testing.assert_array_equal(flatten_chw_backward(flatten_chw(x), shape), x)


@given(SHAPES, st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_concat(shape: reference.Shape, channels: list[int]) -> None:
    maps = [random_array((*shape[:3], c), i) for i, c in enumerate(channels)]
    joined = concat(maps)
    at = 0
    for x, c in zip(maps, channels, strict=True):
        np.testing.assert_array_equal(joined[..., at : at + c], x)
        at += c
    assert joined.shape == (*shape[:3], at)
    for part, x in zip(concat_backward(joined, channels), maps, strict=True):
        np.testing.assert_array_equal(part, x)
        assert part.flags.c_contiguous


@given(meetings(), SCALES, SCALES, SEEDS)
def test_shortcut(rendezvous: Rendezvous, alpha: float, beta: float, seed: int) -> None:
    x, other = random_array(rendezvous.shape, seed), random_array(rendezvous.other, seed + 1)
    (n, h, w, c), (_, other_h, other_w, other_c) = rendezvous
    out = memory(x)
    reference.shortcut_cpu(n, other_w, other_h, other_c, memory(other), w, h, c, alpha, beta, out)
    before = x.copy(), other.copy()
    y = shortcut(x, other, alpha, beta)
    np.testing.assert_allclose(y, as_map(out, rendezvous.shape), rtol=1e-14)
    delta = random_array(rendezvous.shape, seed + 2)
    x_delta, other_delta = shortcut_backward(delta, rendezvous.other, alpha, beta)
    assert dot(delta, y) == pytest.approx(dot(x_delta, x) + dot(other_delta, other))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(other, before[1])


@given(SHAPES, SMALL, SCALES, SEEDS)
def test_upsample(shape: reference.Shape, stride: int, scale: float, seed: int) -> None:
    n, h, w, c = shape
    large = n, h * stride, w * stride, c
    x, delta = random_array(shape, seed), random_array(large, seed + 1)
    out, inside = np.zeros(delta.size), np.zeros(x.size)
    reference.upsample_cpu(memory(x), w, h, c, n, stride, True, scale, out)
    np.testing.assert_allclose(upsample(x, stride, scale), as_map(out, large), rtol=1e-14)
    reference.upsample_cpu(inside, w, h, c, n, stride, False, scale, memory(delta))
    expected = as_map(inside, shape)
    np.testing.assert_allclose(upsample_backward(delta, stride, scale), expected, rtol=1e-12)


@given(SHAPES, st.integers(1, 3), SEEDS)
def test_reorg(shape: reference.Shape, stride: int, seed: int) -> None:
    """The C program calls reorg_cpu with the sizes of the *input*, and forward=0."""
    n, h, w, inner = shape
    h, w, c = h * stride, w * stride, inner * stride**2
    x = random_array((n, h, w, c), seed)
    y_shape = n, h // stride, w // stride, c * stride**2
    moved = reference.reorg_cpu(memory(x), w, h, c, n, stride, False)
    y = reorg(x, stride)
    np.testing.assert_array_equal(y, as_map(moved, y_shape))
    np.testing.assert_array_equal(reorg_backward(y, stride), x)


@given(SHAPES, st.integers(1, 3), SEEDS)
def test_reorg_reverse(shape: reference.Shape, stride: int, seed: int) -> None:
    n, h, w, inner = shape
    c = inner * stride**2
    x = random_array((n, h, w, c), seed)
    y_shape = n, h * stride, w * stride, inner
    moved = reference.reorg_cpu(memory(x), w, h, c, n, stride, True)
    y = reorg_reverse(x, stride)
    np.testing.assert_array_equal(y, as_map(moved, y_shape))
    np.testing.assert_array_equal(reorg_reverse_backward(y, stride), x)


@given(SHAPES, st.data(), st.booleans(), SCALES, SEEDS)
def test_crop(
    shape: reference.Shape, data: st.DataObject, flip: bool, scale: float, seed: int
) -> None:
    n, h, w, c = shape
    out_h, out_w = data.draw(st.integers(1, h)), data.draw(st.integers(1, w))
    top, left = data.draw(st.integers(0, h - out_h)), data.draw(st.integers(0, w - out_w))
    x, delta = random_array(shape, seed), random_array((n, out_h, out_w, c), seed + 1)
    y = crop(x, top, left, out_h, out_w, flip, scale)
    assert y.shape == delta.shape
    for b, i, j, k in np.ndindex(*y.shape):
        column = w - left - j - 1 if flip else left + j
        assert y[b, i, j, k] == pytest.approx(x[b, top + i, column, k] * scale + 1 - scale)
    x_delta = crop_backward(delta, shape, top, left, flip, scale)
    assert dot(delta, y - (1 - scale)) == pytest.approx(dot(x_delta, x))
    assert x_delta.flags.c_contiguous


def test_types_stay() -> None:
    x = np.ones((2, 4, 4, 4), np.float32)
    results = [
        concat([x, x]),
        shortcut(x, x, 0.5, 2.0),
        *shortcut_backward(x, (2, 2, 2, 4), 0.5, 2.0),
        upsample(x, 2, 0.5),
        upsample_backward(x, 2, 0.5),
        crop(x, 0, 0, 2, 2, False, 2.0),
        crop_backward(x, (2, 5, 5, 4), 0, 0, True, 2.0),
        reorg(x, 2),
    ]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
