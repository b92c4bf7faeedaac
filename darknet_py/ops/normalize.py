"""Normalisation: of a channel over a batch, over neighbouring channels, of a pixel's length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.array_types import Array


@dataclass(frozen=True)
class Epsilon:
    """What keeps batch norm from dividing by 0: added to the variance, before its root is taken,
    and to that root."""

    variance: float
    deviation: float


EPSILON = Epsilon(0.0, 1e-6)
"""As in pjreddie's C program on the CPU."""


def deviation(variance: Array, epsilon: Epsilon = EPSILON) -> Array:
    """sqrt(variance + epsilon.variance), of whatever shape; a negative variance counts as 0.

    Real weights hold rolling variances a hair below 0 (-7e-44), of which the C program's square
    root is 0: its compiler flushes such numbers. NaN stays NaN.
    """
    return np.sqrt(np.maximum(variance, 0) + epsilon.variance)


def divisor(variance: Array, epsilon: Epsilon = EPSILON) -> Array:
    """What batch norm divides by."""
    return deviation(variance, epsilon) + epsilon.deviation


_FAR = 1e4
"""Deviations from 0 from which on a mean is far away."""


def can_fold(mean: Array, variance: Array, epsilon: Epsilon) -> bool:
    """Whether x factor + (biases - mean factor) is about as exact as (x - mean) factor + biases.

    Not where a channel hardly varies far from zero: there float32 leaves little of the difference.
    """
    return bool((np.abs(mean) <= _FAR * divisor(variance, epsilon)).all())


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and unbiased variance of each channel of x (n, h, w, c): two arrays (c,).

    Summed in float64, in two passes. A single value has variance 0.
    """
    count = x.size // x.shape[-1]
    mean = x.mean(axis=(0, 1, 2), dtype=np.float64)
    squares = np.square(x - mean.astype(x.dtype)).sum(axis=(0, 1, 2), dtype=np.float64)
    return mean.astype(x.dtype), (squares / max(count - 1, 1)).astype(x.dtype)


def standardize(x: Array, mean: Array, std: Array) -> Array:
    """(x - mean) / std of each channel; mean and std are constants (c,)."""
    return (x - mean) / std


def standardize_backward(delta: Array, std: Array) -> Array:
    """The delta of what `standardize` was given."""
    return delta / std


def batchnorm(
    x: Array,
    scales: Array,
    biases: Array | None,
    mean: Array,
    variance: Array,
    epsilon: Epsilon = EPSILON,
) -> Array:
    """(x - mean) / (sqrt(variance + epsilon.variance) + epsilon.deviation) * scales + biases; all
    but x are (c,)."""
    y = x - mean
    y *= scales / divisor(variance, epsilon)
    if biases is not None:
        y += biases
    return y


def batchnorm_backward(
    delta: Array,
    x: Array,
    scales: Array,
    mean: Array,
    variance: Array,
    epsilon: Epsilon = EPSILON,
) -> tuple[Array, Array, Array]:
    """Where mean and variance are the batch's: deltas of x, updates of scales and of biases.

    With s = sqrt(variance + epsilon.variance), r = 1 / (s + epsilon.deviation), d = delta * scales
    and m values in a channel:
    r (d - mean(d)) - (x - mean) r^2 sum(d (x - mean)) / (s (m - 1)).
    """
    count = x.size // x.shape[-1]
    root = deviation(variance, epsilon)
    inverse = 1 / (root + epsilon.deviation)
    centered = x - mean
    bias_updates = channel_sum(delta)
    product = channel_sum(delta * centered)
    spread = np.where(root > 0, root, 1) * max(count - 1, 1)
    x_delta = delta - bias_updates / count
    x_delta *= scales * inverse
    x_delta -= centered * (scales * inverse**2 * product / spread)
    return x_delta, product * inverse, bias_updates


def batchnorm_fixed_backward(
    delta: Array,
    x: Array,
    scales: Array,
    mean: Array,
    variance: Array,
    epsilon: Epsilon = EPSILON,
) -> tuple[Array, Array, Array]:
    """The same where mean and variance are constants: the rolling ones, in inference."""
    inverse = 1 / divisor(variance, epsilon)
    scale_updates = channel_sum(delta * (x - mean)) * inverse
    return delta * (scales * inverse), scale_updates, channel_sum(delta)


def moving_average(rolling: Array, value: Array, taken: float = 0.01) -> None:
    """rolling = (1 - taken) rolling + taken value, in place."""
    rolling *= 1 - taken
    rolling += taken * value


def channel_sum(x: Array) -> Array:
    """The sum over all but the last axis, in float64, given in x's type: (c,)."""
    return x.sum(axis=tuple(range(x.ndim - 1)), dtype=np.float64).astype(x.dtype)


def lrn(x: Array, size: int, alpha: float, beta: float, kappa: float) -> Array:
    """Local response normalisation: x / (kappa + alpha * sum of squares around)^beta.

    The sum for channel k runs over channels k - (size - 1) // 2 to k + size // 2.
    """
    return x * _lrn_norms(x, size, alpha, kappa) ** -beta


def lrn_backward(
    delta: Array, x: Array, size: int, alpha: float, beta: float, kappa: float
) -> Array:
    """The exact gradient (the C program leaves out the second term)."""
    norms = _lrn_norms(x, size, alpha, kappa)
    shared = delta * x * norms ** (-beta - 1)
    around = _channel_window_sum(shared, before=size // 2, after=(size - 1) // 2)
    return delta * norms**-beta - 2 * alpha * beta * x * around


def l2norm(x: Array) -> Array:
    """Each pixel's channels divided by their Euclidean length; a zero pixel stays zero."""
    return x / _lengths(x)


def l2norm_backward(delta: Array, x: Array) -> Array:
    """(delta - y (y . delta)) / length: the exact gradient (the C program passes delta on)."""
    lengths = _lengths(x)
    y = x / lengths
    return (delta - y * (y * delta).sum(axis=-1, keepdims=True)) / lengths


def _lengths(x: Array) -> Array:
    lengths = np.sqrt(np.square(x).sum(axis=-1, keepdims=True))
    return np.where(lengths > 0, lengths, 1)


def _lrn_norms(x: Array, size: int, alpha: float, kappa: float) -> Array:
    around = _channel_window_sum(np.square(x), before=(size - 1) // 2, after=size // 2)
    return kappa + alpha * around


def _channel_window_sum(x: Array, before: int, after: int) -> Array:
    """For each channel k the sum over channels k - before to k + after that exist."""
    c = x.shape[-1]
    total = x.copy()
    for shift in range(1, min(after, c - 1) + 1):
        total[..., : c - shift] += x[..., shift:]
    for shift in range(1, min(before, c - 1) + 1):
        total[..., shift:] += x[..., : c - shift]
    return total
