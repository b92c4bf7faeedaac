"""Fusion: batch norm folded into weights; biases, activation and sum part of a convolution; an
activation part of the normalisation or the sum before it. The calls of the graph that it gives are
this device's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darknet_py.ops.activations import POINTWISE
from darknet_py.ops.array_types import Array
from darknet_py.ops.fusion import (
    Chain,
    Readers,
    is_constant,
    take_activation,
    take_biases,
    take_norm,
    take_residual,
)
from darknet_py.ops.gpu.convolution import convolve, convolve_input, convolve_weights
from darknet_py.ops.gpu.normalize import batchnorm_activate, batchnorm_scale
from darknet_py.ops.gpu.pointwise import shortcut_activate
from darknet_py.ops.graph import Graph, Node, TensorSpec
from darknet_py.ops.normalize import Epsilon, divisor

Rule = Callable[["Chain[Readers]", bool, bool], "Node | None"]


def fuse(graph: Graph, exact: bool, changing: bool) -> Graph:
    """The same outputs. exact: see cudnn.Job; changing: parameters move between runs, so that
    nothing may be made of their values now."""
    readers = Readers(graph)
    done: set[int] = set()
    at: dict[int, Node] = {}
    for place, call in enumerate(graph.calls):
        if place in done:
            continue
        chain: Chain[Readers] = Chain(readers, call, place)
        rule = _RULES.get(call.name)
        fused = rule(chain, exact, changing) if rule else None
        if fused is None:
            at[place] = call
        else:
            done.update(chain.taken)
            at[max(chain.taken)] = fused
    return Graph(graph.inputs, [at[place] for place in sorted(at)], graph.outputs)


def _convolution(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    x, weights, *window = chain.call.arguments
    weights, *what = _take_epilogue(chain, weights, changing)
    return _node(convolve, chain, (x, weights, *what, *window, exact))


def _dense(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    x, weights = chain.call.arguments
    if not is_constant(weights):
        return None
    weights, *what = _take_epilogue(chain, weights, changing)
    return _node(convolve_all, chain, (x, weights, *what, exact))


def _take_epilogue(
    chain: Chain[Readers], weights: Array, changing: bool
) -> tuple[Array, Array | None, str, TensorSpec | None, str]:
    """Weights, and what of the calls that follow can be part of a convolution with them."""
    norm = None if changing or not is_constant(weights) else take_norm(chain)
    if norm:
        weights, biases = _folded(weights, *norm.arguments[1:])
    else:
        biases = take_biases(chain)
    before = take_activation(chain, POINTWISE)
    residual = take_residual(chain)
    return (
        weights,
        biases,
        before,
        residual,
        take_activation(chain, POINTWISE) if residual else "linear",
    )


def _folded(
    weights: Array,
    scales: Array,
    biases: Array | None,
    mean: Array,
    variance: Array,
    epsilon: Epsilon,
) -> tuple[Array, Array]:
    """Weights (filters, ...) and biases of a convolution that normalises too."""
    factors = scales / divisor(variance, epsilon)
    shift = -mean * factors
    shape = (-1, *[1] * (weights.ndim - 1))
    return weights * factors.reshape(shape), shift if biases is None else shift + biases


def _as_is(function: Callable[..., Any]) -> Rule:
    """The same call, as this device's function."""
    return lambda chain, exact, changing: _node(function, chain, chain.call.arguments)


def _with_precision(function: Callable[..., Any]) -> Rule:
    """The same call, and whether it is exact."""
    return lambda chain, exact, changing: _node(function, chain, (*chain.call.arguments, exact))


def _with_activation(function: Callable[..., Any]) -> Rule:
    """The same call, with the activation that follows."""

    def rule(chain: Chain[Readers], exact: bool, changing: bool) -> Node:
        return _node(function, chain, (*chain.call.arguments, take_activation(chain, POINTWISE)))

    return rule


def _node(function: Callable[..., Any], chain: Chain[Readers], arguments: tuple[Any, ...]) -> Node:
    return Node(function.__name__, arguments, [chain.result], function)


def convolve_all(
    x: Array,
    weights: Array,
    biases: Array | None,
    before: str,
    added: Array | None,
    after: str,
    exact: bool,
) -> Array:
    """A dense layer as the convolution of one pixel: x (n, h, w, c), weights (outputs, h w c)."""
    vectors, rows = _as_pixel(x), _as_pixel(weights)
    return convolve(vectors, rows, biases, before, added, after, 1, 0, 1, 1, exact)


def convolve_all_input(delta: Array, weights: Array, shape: tuple[int, ...], exact: bool) -> Array:
    """The delta of its input of `shape`."""
    rows = _as_pixel(weights)
    pixel = shape[0], 1, 1, rows.shape[3]
    return convolve_input(_as_pixel(delta), rows, pixel, 1, 0, 1, 1, exact).reshape(shape)


def convolve_all_weights(delta: Array, x: Array, exact: bool) -> Array:
    """The updates of its weights (outputs, h w c)."""
    updates = convolve_weights(_as_pixel(delta), _as_pixel(x), 1, 1, 0, 1, 1, exact)
    return updates.reshape(updates.shape[0], -1)


def _as_pixel(x: Array) -> Array:
    return x.reshape(x.shape[0], 1, 1, -1)


_RULES: dict[str, Rule] = {
    "batchnorm": _with_activation(batchnorm_activate),
    "conv2d": _convolution,
    "conv2d_backward_input": _with_precision(convolve_input),
    "conv2d_backward_weights": _with_precision(convolve_weights),
    "dense": _dense,
    "dense_backward_input": _with_precision(convolve_all_input),
    "dense_backward_weights": _with_precision(convolve_all_weights),
    "batchnorm_scale": _as_is(batchnorm_scale),
    "shortcut": _with_activation(shortcut_activate),
}
