"""Vector-Jacobian products between layers, in inference: the gradients of explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.layers import Wanted
from darknet_py.network import io_checks
from darknet_py.network.derived import sized as sized_for
from darknet_py.network.io_checks import normalize_input, normalize_input_backward
from darknet_py.network.model import Model
from darknet_py.network.passes import backpropagate, forward
from darknet_py.network.tracing import TracedFunction
from darknet_py.ops.graph import Graph, Tracer

PICTURE = -1
"""The network's input among numbers of layers."""


class Vjp(NamedTuple):
    """The output of each layer of `ends`, and its delta, (n, c, h, w); the map of PICTURE is the
    picture."""

    maps: list[np.ndarray]
    deltas: list[np.ndarray]


def vjp(net: Model, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]) -> Vjp:
    """See Network.vjp."""
    io_checks.check_layers(net, [start])
    for end in ends:
        if not PICTURE <= end < start:
            raise ShapeError(f"{net.path}: layer {end} is not before layer {start}")
    x = io_checks.checked_any_size(net, x)
    h, w, c = sized_for(net, x).layers[start].out_shape
    shapes = (len(x), c * h * w), (len(x), c, h, w)
    found = np.shape(delta)
    io_checks.check_numbers(net, "a delta", delta, found if found in shapes else shapes[0])
    inside = np.ascontiguousarray(delta.reshape(-1, c, h, w).transpose(0, 2, 3, 1))
    arrays = _traced(net, x, inside, start, ends).run(net)
    outside = [io_checks.to_outside(net, each, is_vector=False) for each in arrays]
    found_maps, deltas = iter(outside[: -len(ends)]), outside[-len(ends) :]
    maps = [x if end == PICTURE else next(found_maps) for end in ends]
    return Vjp(maps, deltas)


def _traced(
    net: Model, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]
) -> TracedFunction:
    """The outputs of those of `ends` that are layers, and the deltas of all. delta (n, h, w, c): of
    the output of `start`. Tracing raises ShapeError where `start` does not depend on an end."""

    def trace(n: int) -> Graph:
        sized = sized_for(net, x)
        tracer = Tracer(sized.ops)
        picture = normalize_input(tracer.input((n, *x.shape[1:])), tracer, net.settings)
        given = tracer.input((n, *delta.shape[1:]))
        tape = forward(sized.layers, tracer, picture, start, train=False)
        wanted = Wanted(input_deltas=True, updates=False)
        deltas = backpropagate(
            sized.layers, tracer, tape, {start: given}, wanted, min(ends) + 1, ends
        )
        for end in ends:
            if end not in deltas:
                raise ShapeError(f"{net.path}: nothing leads from layer {end} to layer {start}")
        if PICTURE in ends:
            deltas[PICTURE] = normalize_input_backward(deltas[PICTURE], tracer, net.settings)
        maps = [tape.outputs[end] for end in ends if end != PICTURE]
        return tracer.graph([*maps, *(deltas[end] for end in ends)])

    return TracedFunction(f"vjp {start} {tuple(ends)}", trace, [x, delta])
