"""The functions of ops in float64, with as much noise as float32 may round: what comes of it at
the end is how far a program in float32 may be off.

Monte Carlo arithmetic (Parker 1997): each value that an op gives is moved at random by up to
n u M, where u = 2^-24 is float32's unit, n how many numbers were summed and M the sum of their
magnitudes: the bound of Higham (2002), section 3.1. The rest of the network carries the noise on,
whatever its condition. Where Winograd's transforms may be used their growth is in n.

Decisions (the side of a kink, which value of a window is largest, a sign) are written down: runs
that decide differently do not compute the same function, and are not compared.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.ops.normalize import deviation, divisor

Array = Any

UNIT = 2.0**-24
_TINY = 4e-38
_GROWTH = 8
"""Of rounding by Winograd's transforms, tiles of 4 x 4 and 6 x 6 (Barabasz et al. 2020)."""

_CPU = devices.for_device("cpu")

_KINKS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: x > 0,
    "leaky": lambda x: x > 0,
    "relie": lambda x: x > 0,
    "ramp": lambda x: x > 0,
    "relu6": lambda x: (x > 0, x < 6),
    "revleaky": lambda x: x > 0,
    "hard_mish": lambda x: (x > -2, x > 0),
    "normalize_channels": lambda x: x > 0,
    "elu": lambda x: x >= 0,
    "selu": lambda x: x >= 0,
    "hardtan": lambda x: (x > -1, x < 1),
    "lhtan": lambda x: (x > 0, x > 1),
    "plse": lambda x: (x < -4, x > 4),
    "stair": np.floor,
}
"""By activation: which piece of it an input is on."""


class Rounding(SimpleNamespace):
    """Has every function of ops, in float64. noise: what each result is moved by, in units of its
    bound; 0: nothing. exact: without Winograd's transforms."""

    def __init__(self, noise: float, seed: int, exact: bool) -> None:
        super().__init__()
        self.noise, self.exact = noise, exact
        self.rng = np.random.default_rng(seed)
        self.decisions: list[Array] = []
        self.is_within = True
        """Whether float32 has numbers for all that a logarithm was taken of."""
        for name in _CPU.__all__:
            function = getattr(_CPU, name)
            takes = callable(function) and name not in _AS_THEY_ARE
            setattr(self, name, self._rounded(name, function) if takes else function)
        self.array = lambda host, dtype=np.float64: np.array(host, dtype=dtype, order="C")

    def decides_as(self, other: Rounding) -> bool:
        """Whether both compute the same function, and one that float32 can."""
        if not self.is_within:
            return False
        pairs = zip(self.decisions, other.decisions, strict=True)
        return all(np.array_equal(one, two) for one, two in pairs)

    def _rounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def computed(*args: Any) -> Any:
            self._decide(name, args)
            before = [np.abs(each) for each in _changed(name, args)]
            result = function(*args)
            if not self.noise or (result is None and not before):
                return result
            if before:
                for array, old in zip(_changed(name, args), before, strict=True):
                    self._move(array, 8 * (np.abs(array) + old))
                return result
            bounds = _bound(name, function, args, result, self.exact)
            if not isinstance(result, tuple | list):
                return self._moved(result, bounds)
            moved = [self._moved(each, n) for each, n in zip(result, bounds, strict=True)]
            return type(result)(moved)

        computed.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return computed

    def _moved(self, y: Array, bound: Array) -> Array:
        y = np.array(y, np.float64)
        self._move(y, bound)
        return y

    def _move(self, y: Array, bound: Array) -> None:
        y += self.noise * UNIT * bound * self.rng.uniform(-1, 1, np.shape(y))

    def _decide(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "activate" and args[1] in _KINKS:
            self.decisions.append(np.array(_KINKS[args[1]](args[0])))
        elif name == "maxpool":
            x, *window = args
            shape = _CPU.maxpool(x, *window).shape
            places = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
            self.decisions.append(_CPU.maxpool_backward(places, x, *window))
        elif name == "maxpool_depth":
            x, out_channels = args
            places = np.arange(1.0, 1 + x[..., :out_channels].size)
            places = places.reshape(*x.shape[:3], out_channels)
            self.decisions.append(_CPU.maxpool_depth_backward(places, x, out_channels))
        elif name in ("binarize", "binarize_weights"):
            self.decisions.append(args[0] > 0)
        elif name == "absolute_error":
            self.decisions.append(args[0] > args[1])
        elif name == "dream_delta":
            self.decisions.append(_CPU.dream_delta(*args) != 0)
        elif name == "logistic_cross_entropy":
            y, truth = args
            of = np.where(truth > 0, y, 1), np.where(truth < 1, 1 - y, 1)
            self.is_within &= bool(of[0].min() > _TINY and of[1].min() > 4 * UNIT)
        elif name == "softmax_cross_entropy":
            y, truth = args[:2]
            self.is_within &= bool(np.where(truth > 0, y, 1).min() > _TINY)


_AS_THEY_ARE = ("ACTIVATIONS", "Engine", "array", "to_host", "is_finite", "swap")
_IN_PLACE = {
    "accumulate": 1,
    "clip": 1,
    "moving_average": 1,
    "sgd_update": 2,
    "adam_update": 4,
    "rmsprop_update": 3,
}
"""Functions that change their first arguments, and how many of them."""


def _changed(name: str, args: tuple[Any, ...]) -> list[Array]:
    given = args[: _IN_PLACE.get(name, 0)]
    return [array for each in given for array in (each if isinstance(each, list) else [each])]


def _bound(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], y: Any, exact: bool
) -> Any:
    """n M of each result, in units of u."""
    a = [np.abs(each) if isinstance(each, np.ndarray) else each for each in args]
    if name in _SUMS:
        of_abs = function(*a)
        n = _SUMS[name](*args) + 4
        if exact or name not in _WINDOWS or not _may_transform(args, name):
            return n * of_abs
        # a tile's error is that of its largest value
        largest = of_abs if name == "conv2d_backward_weights" else of_abs.max((1, 2), keepdims=True)
        return n * _GROWTH * largest
    if name in _BOUNDS:
        return _BOUNDS[name](a, y)
    if isinstance(y, tuple | list):
        return [2 * np.abs(each) for each in y]
    return 2 * np.abs(y)


_SUMS: dict[str, Callable[..., int]] = {
    "add": lambda *_: 2,
    "add_biases": lambda *_: 2,
    "avgpool": lambda x: x.shape[1] * x.shape[2],
    "batch_loss": lambda losses: losses.size,
    "biases_backward": lambda delta: delta.size // delta.shape[-1],
    "blur": lambda x, size, _: size**2,
    "blur_backward": lambda delta, shape, size, _: size**2,
    "conv2d": lambda x, w, *_: w[0].size,
    "conv2d_backward_input": lambda delta, w, *_: w.size // w.shape[3],
    "conv2d_backward_weights": lambda delta, *_: delta.size // delta.shape[3],
    "dense": lambda x, w: w.shape[1],
    "dense_backward_input": lambda delta, w, _: w.shape[0],
    "dense_backward_weights": lambda delta, x: len(x),
    "local2d": lambda x, w, *_: w[0, 0, 0].size,
    "local2d_backward_input": lambda delta, w, *_: w[0, 0].size,
    "local2d_backward_weights": lambda delta, *_: len(delta),
    "local_avgpool": lambda x, size, *_: size**2,
    "local_avgpool_backward": lambda delta, shape, size, *_: size**2,
    "local_biases_backward": len,
    "upsample_backward": lambda delta, stride, _: stride**2,
}
"""Functions that sum products: of magnitudes they give M. How many they sum."""
_WINDOWS = ("conv2d", "conv2d_backward_input", "conv2d_backward_weights")


def _may_transform(args: tuple[Any, ...], name: str) -> bool:
    size = args[2] if name == "conv2d_backward_weights" else args[1].shape[1]
    stride, _, groups, dilation = args[-4:]
    return bool(size > 1 and (stride, groups, dilation) == (1, 1, 1))


def _activate(a: list[Any], y: Array) -> Array:
    x, name = a
    if name == "stair":
        return np.where(np.floor(y) == y, 0, 4 * np.abs(x))
    if name == "hardtan":
        return np.where(np.abs(y) == 1, 0, np.abs(y))
    smooth = name not in ("linear", "relu", "leaky", "relie", "ramp")
    # 2 p - 1, exp(x) - 1 and the like round as 1 does
    return 8 * (np.abs(y) + 1) if smooth else 2 * np.abs(y)


def _batch_statistics(a: list[Any], y: tuple[Array, Array]) -> list[Array]:
    x, n = a[0], a[0].size // a[0].shape[-1]
    mean = x.mean((0, 1, 2))
    if n == 1:
        return [0 * mean, 0 * mean]  # nothing is summed
    return [n * mean, n * (y[1] + UNIT * n * mean**2)]


def _batchnorm(a: list[Any], y: Array) -> Array:
    x, scales, biases, mean, variance, epsilon = a
    factor = scales / divisor(variance, epsilon)
    added = 0 if biases is None else biases
    # of a single value the mean is taken, which leaves nothing; else x factor - mean factor may be
    # what is computed
    return 8 * np.where(variance > 0, (x + mean) * factor + added, np.abs(y) + added)


def _batchnorm_backward(a: list[Any], y: tuple[Array, ...]) -> list[Array]:
    delta, x, scales, mean, variance, epsilon = a
    m = x.size // x.shape[-1]
    root = deviation(variance, epsilon)
    inverse = 1 / (root + epsilon.deviation)
    total, product = delta.sum((0, 1, 2)), (delta * (x + mean)).sum((0, 1, 2))
    spread = np.where(root > 0, root, 1) * max(m - 1, 1)
    if m == 1:  # all is taken from itself
        return [0 * delta, 0 * product, 0 * total]
    shifted = (delta + total / m) * scales * inverse
    bent = (x + mean) * scales * inverse**2 * product / spread
    return [(m + 8) * (shifted + bent), (m + 4) * product * inverse, m * total]


def _batchnorm_fixed_backward(a: list[Any], y: tuple[Array, ...]) -> list[Array]:
    delta, x, scales, mean, variance, epsilon = a
    m = x.size // x.shape[-1]
    inverse = 1 / divisor(variance, epsilon)
    product = (delta * (x + mean)).sum((0, 1, 2)) * inverse
    return [8 * delta * scales * inverse, (m + 4) * product, m * delta.sum((0, 1, 2))]


def _softmax(a: list[Any], y: Array) -> Array:
    x, _, temperature = a
    return np.abs(y) * (x.shape[-1] + 8 + 4 * x.max(-1, keepdims=True) / temperature)


def _softmax_backward(a: list[Any], y: Array) -> Array:
    delta, out, groups, temperature = a
    parts = delta.shape[-1] // groups
    shaped = [each.reshape(*each.shape[:-1], groups, parts) for each in (delta, out)]
    total = (shaped[0] * shaped[1]).sum(-1, keepdims=True)
    magnitude = (shaped[1] * (shaped[0] + total)).reshape(delta.shape) / temperature
    return (parts + 8) * magnitude


def _l2norm(a: list[Any], y: Array) -> Array:
    return (a[0].shape[-1] + 4) * np.abs(y)


def _l2norm_backward(a: list[Any], _: Array) -> Array:
    delta, x = a
    lengths = np.sqrt(np.square(x).sum(-1, keepdims=True))
    lengths = np.where(lengths > 0, lengths, 1)
    y = x / lengths
    product = (y * delta).sum(-1, keepdims=True)
    return (2 * x.shape[-1] + 8) * (delta + y * product) / lengths


def _lrn(a: list[Any], y: Array) -> Array:
    return (2 * a[1] + 16) * np.abs(y)


def _lrn_backward(a: list[Any], _: Array) -> Array:
    delta, x, size, alpha, beta, kappa = a
    # the two terms have one sign where the delta of one channel at a time is given: their sum is
    # twice the first less the difference
    first = delta * (_CPU.lrn(x, size, alpha, beta, kappa) / np.where(x > 0, x, 1))
    first = np.where(x > 0, first, delta * kappa**-beta)
    return (2 * size + 16) * (2 * first - _CPU.lrn_backward(delta, x, size, alpha, beta, kappa))


def _loss(a: list[Any], y: tuple[Array, Array]) -> list[Array]:
    prediction, truth = a[:2]
    n = prediction[0].size + 8
    return [n * (np.abs(y[0]) + truth.sum((1, 2, 3), keepdims=True)), 4 * (prediction + truth)]


def _blend_backward(a: list[Any], _: Any) -> list[Array]:
    delta, gate, yes, no = a
    return [4 * delta * (yes + no), 4 * delta * gate, 4 * delta * (1 + gate)]


_BOUNDS: dict[str, Callable[[list[Any], Any], Any]] = {
    "activate": _activate,
    "activate_backward": lambda a, y: 0 if a[2] == "linear" else 8 * a[0],
    "activate_boxes": lambda a, y: 16 * (np.abs(y) + 1),
    "activate_boxes_backward": lambda a, y: 32 * a[0].max(-1, keepdims=True),
    "absolute_error": lambda a, y: [_loss(a, y)[0], 0],
    "batch_statistics": _batch_statistics,
    "batchnorm": _batchnorm,
    "batchnorm_backward": _batchnorm_backward,
    "batchnorm_fixed_backward": _batchnorm_fixed_backward,
    "binarize": lambda a, y: 0,
    "blend": lambda a, y: 4 * (a[0] * a[1] + (1 + a[0]) * a[2]),
    "blend_backward": _blend_backward,
    "crop": lambda a, y: 2 * (np.abs(y) + 1),
    "dropout": lambda a, y: np.abs(y),
    "random_crop": lambda a, y: 2 * (np.abs(y) + 1),
    "l2norm": _l2norm,
    "l2norm_backward": _l2norm_backward,
    "logistic_cross_entropy": _loss,
    "lrn": _lrn,
    "lrn_backward": _lrn_backward,
    "masked_squared_error": _loss,
    "shortcut": lambda a, y: 4 * _CPU.shortcut(a[0], a[1], abs(a[2]), abs(a[3])),
    "smooth_error": _loss,
    "softmax": _softmax,
    "softmax_backward": _softmax_backward,
    "softmax_cross_entropy": lambda a, y: [_loss(a, y)[0], _loss(a, y)[1] / a[2]],
    "squared_error": _loss,
    "standardize": lambda a, y: 4 * (a[0] + a[1]) / a[2],
}
"""n M of the others' results, from the magnitudes of their arguments and what they gave; 2 |y| for
those that are not here."""
