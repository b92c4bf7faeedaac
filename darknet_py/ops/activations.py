"""The activation functions of darknet's cfg files, each with its derivative.

The derivative is a function of the *output*, which lets a layer forget its input, but for those in
FROM_INPUT, which are not one-to-one: theirs is a function of the *input*. `saved_of` says which of
the two backward is given. The formulas are those of the C programs' activations.h; where stair is
not one-to-one, the C program's derivative is followed.
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


def _swish(x: Array) -> Array:
    # below -1000 nothing is left: no infinity times 0
    return np.maximum(x, -1000) * _logistic(x)


def _swish_slope(x: Array) -> Array:
    near, share = np.clip(x, -1000, 1000), _logistic(x)
    return share + near * share * (1 - share)


def _mish_parts(x: Array) -> tuple[Array, Array]:
    """Of t = tanh(ln(1 + exp(x))) = n / (n + d): n and d, with exp of what is not positive."""
    small = np.exp(-np.abs(x))
    is_positive = x > 0
    numerator = np.where(is_positive, 1 + 2 * small, small * (small + 2))
    return numerator, np.where(is_positive, 2 * small * small, 2)


def _mish(x: Array) -> Array:
    numerator, rest = _mish_parts(x)
    return np.maximum(x, -1000) * (numerator / (numerator + rest))


def _mish_slope(x: Array) -> Array:
    """t + x (1 - t^2) logistic(x)."""
    numerator, rest = _mish_parts(x)
    total = numerator + rest
    slope = rest * (total + numerator) / (total * total)
    return numerator / total + np.clip(x, -1000, 1000) * slope * _logistic(x)


def _hard_mish(x: Array) -> Array:
    near = np.clip(x, -2, 0)
    return np.where(x > 0, x, near * near / 2 + near)


def _hard_mish_slope(x: Array) -> Array:
    return np.clip(x + 1, -1, 1) * (x > -2)


_GELU = 0.797885, 0.035677


def _gelu(x: Array) -> Array:
    """.5 x (1 + tanh(g)) = x logistic(2 g), g = .797885 x + .035677 x^3."""
    near = np.clip(x, -1000, 1000)
    return np.maximum(x, -1000) * _logistic(2 * near * (_GELU[0] + _GELU[1] * near * near))


def _gelu_slope(x: Array) -> Array:
    near = np.clip(x, -1000, 1000)
    share = _logistic(2 * near * (_GELU[0] + _GELU[1] * near * near))
    inner = _GELU[0] + 3 * _GELU[1] * near * near
    return share + 2 * near * share * (1 - share) * inner


def _step(condition: Array, yes: float, no: float, like: Array) -> Array:
    # typed, so that no array of another type is made first
    return np.where(condition, like.dtype.type(yes), like.dtype.type(no))


POINTWISE: dict[str, tuple[Function, Function]] = {
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
    "relu6": (
        lambda x: np.minimum(np.maximum(x, 0), 6),
        lambda y: _step((y > 0) & (y < 6), 1, 0, y),
    ),
    "revleaky": (lambda x: np.maximum(x, 0.1 * x), lambda y: _step(y > 0, 1, 0.1, y)),
    "swish": (_swish, _swish_slope),
    "mish": (_mish, _mish_slope),
    "hard_mish": (_hard_mish, _hard_mish_slope),
    "gelu": (_gelu, _gelu_slope),
}
"""Of each number by itself: by name the function of the input, and its derivative as a function of
the output; as one of the input for those in FROM_INPUT."""

_LEAST = 1e-4
"""Added to sums over the channels of a pixel."""


def _normalize_channels(x: Array) -> Array:
    """Of each pixel the positive values over (their sum + 1e-4); others 0."""
    positive = np.maximum(x, 0)
    return positive / (positive.sum(axis=-1, keepdims=True) + _LEAST)


def _normalize_channels_backward(delta: Array, x: Array) -> Array:
    positive = np.maximum(x, 0)
    total = positive.sum(axis=-1, keepdims=True) + _LEAST
    mean = (delta * positive).sum(axis=-1, keepdims=True) / total
    return np.where(x > 0, (delta - mean) / total, delta.dtype.type(0))


def _normalize_softmax(x: Array) -> Array:
    """Of each pixel exp(x) / (sum of exp(x) + 1e-4), above and below times exp(-m), m the largest
    where that is positive: no overflow."""
    largest = np.maximum(x.max(axis=-1, keepdims=True), 0)
    powers = np.exp(x - largest)
    return powers / (powers.sum(axis=-1, keepdims=True) + _LEAST * np.exp(-largest))


def _normalize_softmax_backward(delta: Array, y: Array) -> Array:
    return y * (delta - (delta * y).sum(axis=-1, keepdims=True))


def _normalize_maxval(x: Array) -> Array:
    """The same with the largest subtracted first: exp(x - m) / (sum of exp(x - m) + 1e-4)."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / (powers.sum(axis=-1, keepdims=True) + _LEAST)


def _normalize_maxval_backward(delta: Array, y: Array) -> Array:
    total = (delta * y).sum(axis=-1, keepdims=True)
    # the largest, whose output is 1 / (sum + 1e-4), moves all others (of equals each a part)
    largest = y.max(axis=-1, keepdims=True)
    is_largest = y == largest
    count = is_largest.sum(axis=-1, keepdims=True)
    share = is_largest.astype(y.dtype) / np.maximum(count, 1).astype(y.dtype)
    return y * (delta - total) - share * total * (_LEAST * largest)


CHANNELWISE: dict[str, tuple[Function, Callable[[Array, Array], Array]]] = {
    "normalize_channels": (_normalize_channels, _normalize_channels_backward),
    "normalize_channels_softmax": (_normalize_softmax, _normalize_softmax_backward),
    "normalize_channels_softmax_maxval": (_normalize_maxval, _normalize_maxval_backward),
}
"""Of all channels of a pixel together: by name the function, and its backward, of delta and output;
of delta and input for those in FROM_INPUT."""

ACTIVATIONS = (*POINTWISE, *CHANNELWISE)

FROM_INPUT = frozenset(("gelu", "hard_mish", "mish", "normalize_channels", "swish"))
"""Those whose backward is given the activation's INPUT; that of all others is given its OUTPUT."""


def saved_of(x: Array, y: Array, activation: str) -> Array:
    """Which of its input x and its output y the backward of an activation is to be given."""
    return x if activation in FROM_INPUT else y


def activate(x: Array, activation: str) -> Array:
    """The activation of every element of x, (..., c)."""
    if activation in CHANNELWISE:
        return CHANNELWISE[activation][0](x)
    return POINTWISE[activation][0](x)


def activate_backward(delta: Array, saved: Array, activation: str) -> Array:
    """The delta of an activation's input. saved: its input, of those in FROM_INPUT, else its
    output: what `saved_of` gives."""
    if activation == "linear":
        return delta
    if activation in CHANNELWISE:
        return CHANNELWISE[activation][1](delta, saved)
    return delta * POINTWISE[activation][1](saved)
