from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.dense import (
    add,
    add_biases,
    avgpool,
    avgpool_backward,
    biases_backward,
    blend,
    dense,
    dense_backward_input,
    dense_backward_weights,
    local_biases_backward,
    multiply,
    softmax,
    softmax_backward,
)
from tests.ops.windows import SEEDS
from tests.support import reference
from tests.support.reference import random_array

SMALL = st.integers(1, 4)
SHAPES = st.tuples(SMALL, SMALL, SMALL, SMALL)


@given(SHAPES, st.integers(1, 5), SEEDS)
def test_dense(shape: reference.Shape, outputs: int, seed: int) -> None:
    """A convolution whose window is the whole map."""
    n, h, w, c = shape
    x, weights = random_array(shape, seed), random_array((outputs, h * w * c), seed + 1)
    delta = random_array((n, 1, 1, outputs), seed + 2)
    y = dense(x, weights)
    expected = np.zeros((n, 1, 1, outputs))
    for b, k in np.ndindex(n, outputs):
        expected[b, 0, 0, k] = (x[b] * weights[k].reshape(h, w, c)).sum()
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-12)
    total = (delta * y).sum()
    x_delta, updates = dense_backward_input(delta, weights, shape), dense_backward_weights(delta, x)
    assert (x_delta * x).sum() == pytest.approx(total)
    assert updates.shape == weights.shape
    assert (updates * weights).sum() == pytest.approx(total)


def test_biases() -> None:
    x, own = random_array((2, 3, 4, 5), 0), random_array((3, 4, 5), 1)
    y, local = add_biases(x, own[0, 0]), add_biases(x, own)
    for at in np.ndindex(*x.shape):
        assert y[at] == x[at] + own[0, 0, at[3]]
        assert local[at] == x[at] + own[at[1:]]
    np.testing.assert_allclose(biases_backward(x), x.sum(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(local_biases_backward(x), x[0] + x[1])


def test_sums_products_and_blends() -> None:
    x, other = random_array((2, 3, 4, 5), 0), random_array((2, 3, 4, 5), 1)
    gate = np.zeros_like(x)
    gate[0] = 1
    np.testing.assert_array_equal(add(x, other), x + other)
    np.testing.assert_array_equal(multiply(x, other), x * other)
    np.testing.assert_array_equal(blend(gate, x, other), np.stack([x[0], other[1]]))
    np.testing.assert_allclose(blend(gate / 4, x, other)[0], x[0] / 4 + other[0] * 0.75)


@given(SHAPES, st.integers(1, 3), st.sampled_from([0.5, 1.0, 3.0]), SEEDS)
def test_softmax(shape: reference.Shape, groups: int, temperature: float, seed: int) -> None:
    shape = *shape[:3], shape[3] * groups
    x = 5 * random_array(shape, seed)
    y = softmax(x, groups, temperature)
    np.testing.assert_allclose(y, reference.softmax(x, groups, temperature), rtol=1e-10)
    parts = y.reshape(*shape[:3], groups, -1)
    np.testing.assert_allclose(parts.sum(axis=-1), 1, rtol=1e-12)


def test_softmax_of_large_values() -> None:
    x = np.array([1e4, -1e4, 1e4, 0], np.float32).reshape(1, 1, 1, 4)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(softmax(x, 1, 1.0).reshape(-1), [0.5, 0, 0.5, 0])


@given(SHAPES, st.integers(1, 3), SEEDS)
def test_softmax_backward(shape: reference.Shape, groups: int, seed: int) -> None:
    shape = *shape[:3], shape[3] * groups
    x, delta, step = (random_array(shape, seed + i) for i in range(3))
    ahead, back = (softmax(x + sign * 1e-6 * step, groups, 2.0) for sign in (1, -1))
    along = (delta * (ahead - back)).sum() / 2e-6
    x_delta = softmax_backward(delta, softmax(x, groups, 2.0), groups, 2.0)
    assert (x_delta * step).sum() == pytest.approx(along, rel=1e-6, abs=1e-8)


@given(SHAPES, SEEDS)
def test_avgpool(shape: reference.Shape, seed: int) -> None:
    n, h, w, c = shape
    x, delta = random_array(shape, seed), random_array((n, 1, 1, c), seed + 1)
    y = avgpool(x)
    for b, k in np.ndindex(n, c):
        assert y[b, 0, 0, k] == pytest.approx(sum(x[b, :, :, k].reshape(-1)) / (h * w))
    x_delta = avgpool_backward(delta, shape)
    assert x_delta.shape == shape
    assert x_delta.flags.writeable
    assert (x_delta * x).sum() == pytest.approx((delta * y).sum())


def test_types_stay() -> None:
    x, one = np.ones((2, 3, 3, 4), np.float32), np.ones((2, 1, 1, 4), np.float32)
    weights = np.ones((4, 36), np.float32)
    results = [
        dense(x, weights),
        dense_backward_input(one, weights, x.shape),
        dense_backward_weights(one, x),
        biases_backward(x),
        blend(x, x, x),
        softmax(x, 2, 2.0),
        softmax_backward(x, x, 2, 2.0),
        avgpool(x),
        avgpool_backward(one, (2, 3, 3, 4)),
    ]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
