"""The activation functions of darknet's cfg files, each with its derivative from the *output*.

The formulas are those of darknet's activations.h. Taking the derivative from the output lets a
layer forget its input; where the function is not one-to-one (stair), the C program's is followed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from darknet_py.ops.array_types import Array

Function = Callable[[Array], Array]

_SELU_SCALE = 1.0507
_SELU_ALPHA = 1.0507 * 1.6732


def _logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow: exp only of what is not positive."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _stair(x: Array) -> Array:
    """Flat on [2k, 2k+1), rising by one on [2k+1, 2k+2)."""
    floor = np.floor(x)
    return np.floor(x / 2) + np.where(floor % 2 == 1, x - floor, 0)


def _plse(x: Array) -> Array:
    middle = 0.125 * x + 0.5
    return np.where(x < -4, 0.01 * (x + 4), np.where(x > 4, 0.01 * (x - 4) + 1, middle))


def _lhtan(x: Array) -> Array:
    return np.where(x < 0, 0.001 * x, np.where(x > 1, 0.001 * (x - 1) + 1, x))


def _exp_minus_1(x: Array) -> Array:
    """exp(x) - 1 left of zero; the other side is not used and must not overflow."""
    return np.expm1(np.minimum(x, 0))


def _step(condition: Array, yes: float, no: float, like: Array) -> Array:
    # typed, so that no array of another type is made first
    return np.where(condition, like.dtype.type(yes), like.dtype.type(no))


ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "linear": (lambda x: x, np.ones_like),
    "logistic": (_logistic, lambda y: (1 - y) * y),
    "loggy": (lambda x: 2 * _logistic(x) - 1, lambda y: (1 - y) * (1 + y) / 2),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "relu": (lambda x: np.maximum(x, 0), lambda y: _step(y > 0, 1, 0, y)),
    "leaky": (lambda x: np.maximum(x, 0.1 * x), lambda y: _step(y > 0, 1, 0.1, y)),
    "relie": (lambda x: np.maximum(x, 0.01 * x), lambda y: _step(y > 0, 1, 0.01, y)),
    "ramp": (lambda x: np.maximum(x, 0) + 0.1 * x, lambda y: _step(y > 0, 1.1, 0.1, y)),
    "elu": (
        lambda x: np.where(x >= 0, x, _exp_minus_1(x)),
        lambda y: np.where(y >= 0, 1, y + 1).astype(y.dtype),
    ),
    "selu": (
        lambda x: np.where(x >= 0, _SELU_SCALE * x, _SELU_ALPHA * _exp_minus_1(x)),
        lambda y: np.where(y >= 0, _SELU_SCALE, y + _SELU_ALPHA).astype(y.dtype),
    ),
    "stair": (_stair, lambda y: _step(np.floor(y) == y, 0, 1, y)),
    "hardtan": (
        lambda x: np.minimum(np.maximum(x, -1), 1),
        lambda y: _step((y > -1) & (y < 1), 1, 0, y),
    ),
    "lhtan": (_lhtan, lambda y: _step((y > 0) & (y < 1), 1, 0.001, y)),
    "plse": (_plse, lambda y: _step((y < 0) | (y > 1), 0.01, 0.125, y)),
}
"""By name the function of the input, and its derivative as a function of the output."""


def activate(x: Array, activation: str) -> Array:
    """The activation of every element of x."""
    return ACTIVATIONS[activation][0](x)


def activate_backward(delta: Array, y: Array, activation: str) -> Array:
    """delta times the derivative, taken from the output y."""
    if activation == "linear":
        return delta
    return delta * ACTIVATIONS[activation][1](y)
