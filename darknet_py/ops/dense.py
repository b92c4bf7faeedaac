"""Matrix products, biases and softmax."""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.normalize import channel_sum


def dense(x: Array, weights: Array) -> Array:
    """x (n, h, w, c), read as vectors, times weights (outputs, h w c): (n, 1, 1, outputs)."""
    n = x.shape[0]
    return (x.reshape(n, -1) @ weights.T).reshape(n, 1, 1, -1)


def dense_backward_input(delta: Array, weights: Array, shape: tuple[int, ...]) -> Array:
    """The delta of an input of `shape` (n, h, w, c)."""
    return (delta.reshape(shape[0], -1) @ weights).reshape(shape)


def dense_backward_weights(delta: Array, x: Array) -> Array:
    """The updates of the weights (outputs, h w c)."""
    n = x.shape[0]
    return delta.reshape(n, -1).T @ x.reshape(n, -1)


def add_biases(x: Array, biases: Array) -> Array:
    """x (n, h, w, c) plus biases (c,), or (h, w, c)."""
    return x + biases


def biases_backward(delta: Array) -> Array:
    """The updates of biases (c,)."""
    return channel_sum(delta)


def local_biases_backward(delta: Array) -> Array:
    """The updates of biases (h, w, c)."""
    return delta.sum(axis=0)


def add(x: Array, other: Array) -> Array:
    """x + other, of one shape."""
    return x + other


def multiply(x: Array, other: Array) -> Array:
    """x * other; other has the shape of x, or 1 in any of its places."""
    return x * other


def multiply_backward(delta: Array, x: Array, other: Array) -> tuple[Array, Array]:
    """Deltas of x and of other, where `multiply` gave x * other."""
    product = delta * x
    axes = tuple(i for i, length in enumerate(other.shape) if length == 1 < product.shape[i])
    return delta * other, product.sum(axis=axes, keepdims=True) if axes else product


def blend(gate: Array, yes: Array, no: Array) -> Array:
    """gate yes + (1 - gate) no, of one shape."""
    return gate * yes + (1 - gate) * no


def softmax(x: Array, groups: int, temperature: float) -> Array:
    """exp(x / temperature), each of `groups` equal parts of the channels made to sum to 1."""
    parts = _parts(x, groups) / temperature
    exp = np.exp(parts - parts.max(axis=-1, keepdims=True))
    return (exp / exp.sum(axis=-1, keepdims=True)).reshape(x.shape)


def softmax_backward(delta: Array, y: Array, groups: int, temperature: float) -> Array:
    """y (delta - sum(delta y)) / temperature, within each group: the exact gradient."""
    parts, outputs = _parts(delta, groups), _parts(y, groups)
    total = (parts * outputs).sum(axis=-1, keepdims=True)
    return (outputs * (parts - total) / temperature).reshape(y.shape)


def _parts(x: Array, groups: int) -> Array:
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def avgpool(x: Array) -> Array:
    """The mean of each channel: (n, h, w, c) -> (n, 1, 1, c)."""
    return x.mean(axis=(1, 2), keepdims=True)


def avgpool_backward(delta: Array, shape: Shape) -> Array:
    """The delta of a map of `shape` (n, h, w, c)."""
    _, h, w, _ = shape
    return np.broadcast_to(delta / (h * w), shape).copy()
