"""Calls made one: batch norm folded into weights; biases, activation and sum part of a convolution;
an activation part of the normalisation or the sum before it.

A graph becomes another one, whose calls are those of this device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from darknet_py.ops.gpu.normalize import batchnorm_activate, scale_channels
from darknet_py.ops.gpu.pointwise import shortcut_activate
from darknet_py.ops.graph import Graph, Node, TensorSpec
from darknet_py.ops.normalize import EPSILON, deviation

Array = Any
Rule = Callable[["Chain[Readers]", bool, bool], "Node | None"]


def fuse(graph: Graph, exact: bool, changing: bool) -> Graph:
    """The same outputs. exact: see graphs.Job; changing: parameters move between runs, so that
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
    x, weights, stride, padding, groups = chain.call.arguments
    weights, *what = _followed(chain, weights, changing)
    return _made("convolve", convolve, chain, (x, weights, *what, stride, padding, groups, exact))


def _dense(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    x, weights = chain.call.arguments
    if not is_constant(weights):
        return None
    weights, *what = _followed(chain, weights, changing)
    return _made("convolve_all", convolve_all, chain, (x, weights, *what, exact))


def _followed(
    chain: Chain[Readers], weights: Array, changing: bool
) -> tuple[Array, Array | None, str, TensorSpec | None, str]:
    """Weights, and what of the calls that follow can be part of a convolution with them."""
    norm = None if changing or not is_constant(weights) else take_norm(chain)
    if norm:
        weights, biases = _folded(weights, *norm.arguments[1:])
    else:
        biases = take_biases(chain)
    before = take_activation(chain)
    residual = take_residual(chain)
    return weights, biases, before, residual, take_activation(chain) if residual else "linear"


def _folded(
    weights: Array, scales: Array, biases: Array | None, mean: Array, variance: Array
) -> tuple[Array, Array]:
    """Weights (filters, ...) and biases of a convolution that normalises too."""
    factors = scales / (deviation(variance) + EPSILON)
    shift = -mean * factors
    shape = (-1, *[1] * (weights.ndim - 1))
    return weights * factors.reshape(shape), shift if biases is None else shift + biases


def _input_gradient(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    return _made("convolve_input", convolve_input, chain, (*chain.call.arguments, exact))


def _weight_gradient(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    return _made("convolve_weights", convolve_weights, chain, (*chain.call.arguments, exact))


def _dense_input(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    arguments = *chain.call.arguments, exact
    return _made("convolve_all_input", convolve_all_input, chain, arguments)


def _dense_weights(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    arguments = *chain.call.arguments, exact
    return _made("convolve_all_weights", convolve_all_weights, chain, arguments)


def _batchnorm(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    arguments = *chain.call.arguments, take_activation(chain)
    return _made("batchnorm_activate", batchnorm_activate, chain, arguments)


def _shortcut(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    arguments = *chain.call.arguments, take_activation(chain)
    return _made("shortcut_activate", shortcut_activate, chain, arguments)


def _scale_channels(chain: Chain[Readers], exact: bool, changing: bool) -> Node | None:
    return _made("scale_channels", scale_channels, chain, chain.call.arguments)


def _made(
    name: str, function: Callable[..., Any], chain: Chain[Readers], arguments: tuple[Any, ...]
) -> Node:
    assert chain.y is not None
    return Node(name, arguments, [chain.y], function)


_RULES: dict[str, Rule] = {
    "batchnorm": _batchnorm,
    "conv2d": _convolution,
    "conv2d_backward_input": _input_gradient,
    "conv2d_backward_weights": _weight_gradient,
    "dense": _dense,
    "dense_backward_input": _dense_input,
    "dense_backward_weights": _dense_weights,
    "scale_channels": _scale_channels,
    "shortcut": _shortcut,
}


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
    return convolve(vectors, rows, biases, before, added, after, 1, 0, 1, exact)


def convolve_all_input(delta: Array, weights: Array, shape: tuple[int, ...], exact: bool) -> Array:
    """The delta of its input of `shape`."""
    rows = _as_pixel(weights)
    pixel = shape[0], 1, 1, rows.shape[3]
    return convolve_input(_as_pixel(delta), rows, pixel, 1, 0, 1, exact).reshape(shape)


def convolve_all_weights(delta: Array, x: Array, exact: bool) -> Array:
    """The updates of its weights (outputs, h w c)."""
    updates = convolve_weights(_as_pixel(delta), _as_pixel(x), 1, 1, 0, 1, exact)
    return updates.reshape(updates.shape[0], -1)


def _as_pixel(x: Array) -> Array:
    return x.reshape(x.shape[0], 1, 1, -1)
