from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from darknet_py.ops.activations import (
    ACTIVATIONS,
    CHANNELWISE,
    FROM_INPUT,
    POINTWISE,
    activate,
    activate_backward,
    saved_of,
)

# darknet's activations.h, one number at a time
VALUES: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "loggy": lambda x: 2 / (1 + math.exp(-x)) - 1,
    "tanh": lambda x: (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1),
    "relu": lambda x: x * (x > 0),
    "leaky": lambda x: x if x > 0 else 0.1 * x,
    "relie": lambda x: x if x > 0 else 0.01 * x,
    "ramp": lambda x: x * (x > 0) + 0.1 * x,
    "elu": lambda x: (x >= 0) * x + (x < 0) * (math.exp(x) - 1),
    "selu": lambda x: (x >= 0) * 1.0507 * x + (x < 0) * 1.0507 * 1.6732 * (math.exp(x) - 1),
    "stair": lambda x: math.floor(x / 2) + (x - math.floor(x) if math.floor(x) % 2 != 0 else 0),
    "hardtan": lambda x: max(-1, min(x, 1)),
    "lhtan": lambda x: 0.001 * x if x < 0 else 0.001 * (x - 1) + 1 if x > 1 else x,
    "plse": lambda x: (
        0.01 * (x + 4) if x < -4 else 0.01 * (x - 4) + 1 if x > 4 else 0.125 * x + 0.5
    ),
    "relu6": lambda x: min(max(x, 0), 6),
    "revleaky": lambda x: x if x > 0 else 0.1 * x,
    "swish": lambda x: x / (1 + math.exp(-x)),
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "hard_mish": lambda x: x if x > 0 else x * x / 2 + x if x > -2 else 0,
    "gelu": lambda x: 0.5 * x * (1 + math.tanh(0.797885 * x + 0.035677 * x**3)),
}
# of the output y
DERIVATIVES: dict[str, Callable[[float], float]] = {
    "linear": lambda y: 1,
    "logistic": lambda y: (1 - y) * y,
    "loggy": lambda y: 2 * (1 - (y + 1) / 2) * ((y + 1) / 2),
    "tanh": lambda y: 1 - y * y,
    "relu": lambda y: y > 0,
    "leaky": lambda y: 1 if y > 0 else 0.1,
    "relie": lambda y: 1 if y > 0 else 0.01,
    "ramp": lambda y: (y > 0) + 0.1,
    "elu": lambda y: (y >= 0) + (y < 0) * (y + 1),
    "selu": lambda y: (y >= 0) * 1.0507 + (y < 0) * (y + 1.0507 * 1.6732),
    "stair": lambda y: 0 if math.floor(y) == y else 1,
    "hardtan": lambda y: -1 < y < 1,
    "lhtan": lambda y: 1 if 0 < y < 1 else 0.001,
    "plse": lambda y: 0.01 if y < 0 or y > 1 else 0.125,
    "relu6": lambda y: 0 < y < 6,
    "revleaky": lambda y: 1 if y > 0 else 0.1,
}
KINKS = np.array([-4, -2, -1, 0, 1, 4, *range(-6, 7)])

NAMES = pytest.mark.parametrize("name", ACTIVATIONS)
EACH = pytest.mark.parametrize("name", POINTWISE)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def test_names_are_darknets() -> None:
    assert sorted(POINTWISE) == sorted(VALUES)
    assert sorted(DERIVATIVES) == sorted(POINTWISE.keys() - FROM_INPUT)


@EACH
def test_values(name: str) -> None:
    x = np.concatenate([np.linspace(-7, 7, 141), KINKS.astype(float)])
    y = activate(x, name)
    np.testing.assert_allclose(y, [VALUES[name](value) for value in x], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_are_darknets_functions_of_the_output(name: str) -> None:
    y = np.concatenate([np.linspace(-1.7, 2.5, 85), KINKS.astype(float)])
    expected = [DERIVATIVES[name](value) for value in y]
    np.testing.assert_allclose(POINTWISE[name][1](y), expected, rtol=1e-12, atol=1e-14)


@EACH
def test_derivatives_are_those_of_the_function(name: str) -> None:
    x = np.linspace(-6.93, 6.97, 333)
    x = x[np.abs(x[:, None] - KINKS).min(axis=1) > 1e-3]
    step = 1e-6
    numerical = (activate(x + step, name) - activate(x - step, name)) / (2 * step)
    delta = np.linspace(-2, 3, len(x))
    found = activate_backward(delta, saved_of(x, activate(x, name), name), name)
    np.testing.assert_allclose(found, delta * numerical, rtol=1e-7, atol=1e-8)


@NAMES
@DTYPES
def test_types_stay_and_arguments_too(name: str, dtype: str) -> None:
    x = np.linspace(-5, 5, 24, dtype=dtype).reshape(1, 2, 3, 4)
    before = x.copy()
    y = activate(x, name)
    assert y.dtype == dtype
    assert y.shape == x.shape
    delta = activate_backward(x, saved_of(x, y, name), name)
    assert delta.dtype == dtype
    assert delta.shape == x.shape
    np.testing.assert_array_equal(x, before)


@NAMES
@DTYPES
def test_large_values(name: str, dtype: str) -> None:
    """No warning, which would be an error here, and nothing that is not a number."""
    x = np.array([-1e30, -1e4, -90, 90, 1e4, 1e30], dtype).reshape(1, 1, 1, 6)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = activate(x, name)
        delta = activate_backward(np.ones_like(x), saved_of(x, y, name), name)
    assert np.isfinite(y).all()
    assert np.isfinite(delta).all()
    if name not in CHANNELWISE:
        assert (np.diff(y.reshape(-1)) >= -1e-30).all()


@pytest.mark.parametrize("name", ["elu", "selu", "tanh"])
def test_small_values_keep_their_digits(name: str) -> None:
    x = np.array([-1e-6, 1e-6], np.float32)
    exact = activate(x.astype(np.float64), name)
    np.testing.assert_allclose(activate(x, name), exact, rtol=1e-6)


@NAMES
@DTYPES
def test_nan_passes(name: str, dtype: str) -> None:
    y = activate(np.array([np.nan, 1], dtype), name)
    assert np.isnan(y).tolist() == [True, name in CHANNELWISE]


@pytest.mark.parametrize("name", ["mish", "swish", "gelu", "hard_mish"])
@DTYPES
def test_limits(name: str, dtype: str) -> None:
    x = np.array([-np.inf, np.inf, -1e30, 1e30], dtype)
    with np.errstate(all="raise", under="ignore"):
        y = activate(x, name)
        slopes = activate_backward(np.ones_like(x), x, name)
    np.testing.assert_allclose(y, np.maximum(x, 0), atol=1e-30)
    np.testing.assert_allclose(slopes, [0, 1, 0, 1], atol=1e-30)


def test_channels_of_a_pixel_are_normalized_together() -> None:
    x = np.array([[-1, 2, 6], [-3, -2, -1]], "d")
    positive, e = np.maximum(x, 0), np.exp(x)
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    for name, values in zip(CHANNELWISE, (positive, e, shifted), strict=True):
        expected = values / (values.sum(axis=1, keepdims=True) + 1e-4)
        np.testing.assert_allclose(activate(x, name), expected, rtol=1e-12)
