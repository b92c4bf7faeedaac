"""Batch normalisation: sums over pixels in two stages, the rest in one pass.

cuDNN's own is not used: it adds its epsilon to the variance, darknet to the deviation.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.array_types import Array
from darknet_py.ops.gpu.kernel import (
    THREADS,
    contiguous,
    launch,
    launch_each,
    launch_rows,
    sums_of,
    width_of,
)
from darknet_py.ops.gpu.pointwise import activation_number
from darknet_py.ops.normalize import EPSILON, Epsilon

_LANES = 32
"""As in cuda/normalize.cu."""
_BLOCKS = 1024
"""Among which rows are divided, about."""
_PART_ROWS = 128
"""Rows of a part, at least."""
_EACH = 8
"""Rows of a thread, at least."""
_MEANS, _SQUARES, _PRODUCTS = range(3)


def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and unbiased variance of each channel of x (n, h, w, c): two arrays (c,).

    Summed in float64, in two passes. A single value has variance 0.
    """
    count = x.size // x.shape[-1]
    mean, _ = _channel_sums(_MEANS, x, x, None, count)
    variance, _ = _channel_sums(_SQUARES, x, x, mean, max(count - 1, 1))
    return mean, variance


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
    return batchnorm_activate(x, scales, biases, mean, variance, epsilon, "linear")


def batchnorm_activate(
    x: Array,
    scales: Array,
    biases: Array | None,
    mean: Array,
    variance: Array,
    epsilon: Epsilon,
    activation: str,
) -> Array:
    """The same through an activation."""
    x = contiguous(x)
    y = cp.empty(x.shape, x.dtype)
    arrays = y, x, scales, mean if biases is None else biases, mean, variance
    how = (
        epsilon.variance,
        epsilon.deviation,
        int(biases is not None),
        activation_number(activation),
    )
    launch_rows("batchnorm", arrays, *how)
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
    delta, x = contiguous(delta), contiguous(x)
    x_delta = cp.empty(x.shape, x.dtype)
    total, product = _channel_sums(_PRODUCTS, x, delta, mean, 1)
    arrays = x_delta, delta, x, scales, mean, variance, total, product
    launch_rows("batchnorm_backward", arrays, epsilon.variance, epsilon.deviation)
    return x_delta, _scale_updates(product, variance, epsilon, x.dtype), total


def batchnorm_fixed_backward(
    delta: Array,
    x: Array,
    scales: Array,
    mean: Array,
    variance: Array,
    epsilon: Epsilon = EPSILON,
) -> tuple[Array, Array, Array]:
    """The same where mean and variance are constants: the rolling ones, in inference."""
    total, product = _channel_sums(_PRODUCTS, x, delta, mean, 1)
    x_delta = batchnorm_scale(delta, scales, variance, epsilon)
    return x_delta, _scale_updates(product, variance, epsilon, x.dtype), total


def batchnorm_scale(
    delta: Array, scales: Array, variance: Array, epsilon: Epsilon = EPSILON
) -> Array:
    """delta times what batch normalisation with fixed statistics multiplies with."""
    delta = contiguous(delta)
    x_delta = cp.empty(delta.shape, delta.dtype)
    arrays = x_delta, delta, scales, variance
    launch_rows("batchnorm_scale", arrays, epsilon.variance, epsilon.deviation)
    return x_delta


def biases_backward(delta: Array) -> Array:
    """The updates of biases (c,)."""
    total, _ = _channel_sums(_MEANS, delta, delta, None, 1)
    return total


def moving_average(rolling: Array, value: Array, taken: float = 0.01) -> None:
    """rolling = (1 - taken) rolling + taken value, in place."""
    arguments = rolling, value, rolling.size, taken
    launch_each("moving_average", rolling.dtype, 1, rolling.size, *arguments)


def _channel_sums(
    kind: int, x: Array, delta: Array, mean: Array | None, divisor: int
) -> tuple[Array, Array]:
    """Sums over pixels by the divisor, (c,): two of products, else only the first counts."""
    x, delta = contiguous(x), contiguous(delta)
    c = x.shape[-1]
    rows, width = x.size // c, width_of(c, (x, delta))
    lanes = min(c // width, _LANES)
    columns = -(-c // (lanes * width))
    # as many blocks as fill a device, each with so many rows that its own sum is worth it
    part = max(_PART_ROWS, _EACH * THREADS // lanes, -(-rows * columns // _BLOCKS))
    parts = -(-rows // part)
    first, second = (cp.empty((parts, c), cp.float64) for _ in range(2))
    arrays = first, second, x, delta, first if mean is None else mean
    launch("channel_parts", x.dtype, (columns, parts), *arrays, rows, c, width, part, kind)
    totals = tuple(cp.empty(c, sums_of(x.dtype)) for _ in range(2))
    for total, each in zip(totals, (first, second), strict=True):
        grid = (-(-c // _LANES),)
        launch("channel_total", x.dtype, grid, total, each, parts, c, float(divisor))
        if kind != _PRODUCTS:
            break
    return totals[0], totals[1]


def _scale_updates(product: Array, variance: Array, epsilon: Epsilon, dtype: Any) -> Array:
    updates = cp.empty(product.shape, product.dtype)
    arguments = updates, product, variance, product.size, epsilon.variance, epsilon.deviation
    launch_each("scale_updates", dtype, 1, product.size, *arguments)
    return updates
