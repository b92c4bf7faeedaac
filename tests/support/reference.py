"""Slow, obvious loops: what the functions of ops must compute, one number at a time.

Maps are numpy arrays (n, h, w, c), results float64. Where darknet's order matters the C program's
index arithmetic is kept as it stands there, on flat memory in its order (n, c, h, w).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from darknet_py.ops.sizes import Stride, pair

Map = np.ndarray
Shape = tuple[int, int, int, int]


def random_array(shape: tuple[int, ...], seed: int, dtype: str = "float64") -> Map:
    """Normal numbers: the same for a seed, and rounded for another type."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def conv2d(
    x: Map, weights: Map, stride: Stride, padding: int, groups: int, dilation: int = 1
) -> Map:
    """Each output is a sum over the window, where it is inside, and its group's channels."""
    n, h, w, c = x.shape
    out_c, size = weights.shape[:2]
    down, right = pair(stride)
    spare = 2 * padding - dilation * (size - 1) - 1
    out_h, out_w = (h + spare) // down + 1, (w + spare) // right + 1
    part, out_part = c // groups, out_c // groups
    y = np.zeros((n, out_h, out_w, out_c))
    for b, i, j, k in np.ndindex(*y.shape):
        for ky, kx, m in np.ndindex(size, size, part):
            in_y = i * down - padding + ky * dilation
            in_x = j * right - padding + kx * dilation
            if 0 <= in_y < h and 0 <= in_x < w:
                channel = k // out_part * part + m
                y[b, i, j, k] += x[b, in_y, in_x, channel] * weights[k, ky, kx, m]
    return y


def local2d(x: Map, weights: Map, stride: Stride, padding: int) -> Map:
    """At each place the convolution with that place's weights."""
    out_h, out_w, out_c = weights.shape[:3]
    y = np.zeros((x.shape[0], out_h, out_w, out_c))
    for i, j in np.ndindex(out_h, out_w):
        y[:, i, j] = conv2d(x, weights[i, j], stride, padding, 1)[:, i, j]
    return y


def windows(h: int, w: int, size: int, stride: Stride, padding: int) -> Iterator[list[list[int]]]:
    """The places [y, x] inside the map of each maxpool window, all in order of rows."""
    down, right = pair(stride)
    out_h, out_w = (h + padding - size) // down + 1, (w + padding - size) // right + 1
    for i, j in np.ndindex(out_h, out_w):
        top, left = i * down - padding // 2, j * right - padding // 2
        places = [[top + ky, left + kx] for ky in range(size) for kx in range(size)]
        yield [[y, x] for y, x in places if 0 <= y < h and 0 <= x < w]


def maxpool(x: Map, size: int, stride: Stride, padding: int) -> Map:
    """The largest value of each window; `padding` is the total of both sides."""
    n, h, w, c = x.shape
    down, right = pair(stride)
    out_h, out_w = (h + padding - size) // down + 1, (w + padding - size) // right + 1
    y = np.zeros((n, out_h * out_w, c))
    for b, k in np.ndindex(n, c):
        for i, places in enumerate(windows(h, w, size, stride, padding)):
            y[b, i, k] = max((x[b, in_y, in_x, k] for in_y, in_x in places), default=-math.inf)
    return y.reshape(n, out_h, out_w, c)


def maxpool_backward(delta: Map, x: Map, size: int, stride: Stride, padding: int) -> Map:
    """Each window's delta is added to the first of its largest values."""
    n, h, w, c = x.shape
    flat = delta.reshape(n, -1, c)
    x_delta = np.zeros(x.shape)
    for b, k in np.ndindex(n, c):
        for i, places in enumerate(windows(h, w, size, stride, padding)):
            if places:
                in_y, in_x = max(places, key=lambda at: x[b, at[0], at[1], k])
                x_delta[b, in_y, in_x, k] += flat[b, i, k]
    return x_delta


def batchnorm(x: Map, scales: Map, biases: Map, mean: Map, variance: Map) -> Map:
    y = np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        k = at[3]
        y[at] = (x[at] - mean[k]) / (math.sqrt(variance[k]) + 1e-6) * scales[k] + biases[k]
    return y


def lrn(x: Map, size: int, alpha: float, beta: float, kappa: float) -> Map:
    c = x.shape[3]
    y = np.zeros(x.shape)
    for b, i, j, k in np.ndindex(*x.shape):
        near = range(max(k - (size - 1) // 2, 0), min(k + size // 2, c - 1) + 1)
        squares = sum(float(x[b, i, j, m]) ** 2 for m in near)
        y[b, i, j, k] = x[b, i, j, k] / (kappa + alpha * squares) ** beta
    return y


def softmax(x: Map, groups: int, temperature: float) -> Map:
    n, h, w, c = x.shape
    part = c // groups
    y = np.zeros(x.shape)
    for b, i, j, group in np.ndindex(n, h, w, groups):
        at = range(group * part, (group + 1) * part)
        largest = max(x[b, i, j, k] for k in at)
        exp = {k: math.exp((x[b, i, j, k] - largest) / temperature) for k in at}
        for k in at:
            y[b, i, j, k] = exp[k] / sum(exp.values())
    return y


def memory(x: Map) -> Map:
    """What the C program has in memory for a map (n, h, w, c)."""
    return x.transpose(0, 3, 1, 2).astype(np.float64).reshape(-1)


def as_map(memory: Map, shape: Shape) -> Map:
    """The map of `shape` (n, h, w, c) that the C program has in memory."""
    n, h, w, c = shape
    return memory.reshape(n, c, h, w).transpose(0, 2, 3, 1)


def reorg_cpu(x: Map, w: int, h: int, c: int, batch: int, stride: int, forward: bool) -> Map:
    """blas.c's reorg_cpu, on memory."""
    out = np.zeros_like(x)
    out_c = c // (stride * stride)
    for b, k, j, i in np.ndindex(batch, c, h, w):
        in_index = i + w * (j + h * (k + c * b))
        c2, offset = k % out_c, k // out_c
        w2 = i * stride + offset % stride
        h2 = j * stride + offset // stride
        out_index = w2 + w * stride * (h2 + h * stride * (c2 + out_c * b))
        if forward:
            out[out_index] = x[in_index]
        else:
            out[in_index] = x[out_index]
    return out


def shortcut_cpu(
    batch: int,
    w1: int,
    h1: int,
    c1: int,
    add: Map,
    w2: int,
    h2: int,
    c2: int,
    s1: float,
    s2: float,
    out: Map,
) -> None:
    """blas.c's shortcut_cpu, on memory: it changes `out`."""
    stride, sample = max(w1 // w2, 1), max(w2 // w1, 1)
    for b, k, j, i in np.ndindex(batch, min(c1, c2), min(h1, h2), min(w1, w2)):
        out_index = i * sample + w2 * (j * sample + h2 * (k + c2 * b))
        add_index = i * stride + w1 * (j * stride + h1 * (k + c1 * b))
        out[out_index] = s1 * out[out_index] + s2 * add[add_index]


def upsample_cpu(
    inside: Map,
    w: int,
    h: int,
    c: int,
    batch: int,
    stride: int,
    forward: bool,
    scale: float,
    out: Map,
) -> None:
    """blas.c's upsample_cpu, on memory: it changes `out`, or backward `inside`."""
    for b, k, j, i in np.ndindex(batch, c, h * stride, w * stride):
        in_index = b * w * h * c + k * w * h + j // stride * w + i // stride
        out_index = (
            b * w * h * c * stride * stride + k * w * h * stride * stride + j * w * stride + i
        )
        if forward:
            out[out_index] = scale * inside[in_index]
        else:
            inside[in_index] += scale * out[out_index]
