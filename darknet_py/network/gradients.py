"""A delta put in at one layer's output and read where one wants it: the gradients of explanations.

In inference, so nothing learns: batch norm has its rolling statistics, dropout does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.layers import Wanted
from darknet_py.network import edges
from darknet_py.network.entrance import enter, leave
from darknet_py.network.passes import carry, forget, forward
from darknet_py.network.recordings import TracedFunction
from darknet_py.ops.graph import Graph, Tracer

if TYPE_CHECKING:
    from darknet_py.network.network import Network

PICTURE = -1
"""What stands for the network's input among numbers of layers."""


class Carried(NamedTuple):
    """Of each layer asked for its output and that output's delta, (n, c, h, w); the map of PICTURE
    is the picture."""

    maps: list[np.ndarray]
    deltas: list[np.ndarray]


def carry_back(
    net: Network, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]
) -> Carried:
    """See Network.carry_back."""
    edges.check_layers(net, [start])
    for end in ends:
        if not PICTURE <= end < start:
            raise ShapeError(f"{net.path}: layer {end} is not before layer {start}")
    x = edges.of_any_size(net, x)
    h, w, c = net.sized(x).layers[start].out_shape
    shapes = (len(x), c * h * w), (len(x), c, h, w)
    found = np.shape(delta)
    edges.check_numbers(net, "a delta", delta, found if found in shapes else shapes[0])
    inside = np.ascontiguousarray(delta.reshape(-1, c, h, w).transpose(0, 2, 3, 1))
    arrays = _carrying(net, x, inside, start, ends).run(net)
    outside = [edges.to_outside(net, each, is_vector=False) for each in arrays]
    found_maps, deltas = iter(outside[: -len(ends)]), outside[-len(ends) :]
    maps = [x if end == PICTURE else next(found_maps) for end in ends]
    return Carried(maps, deltas)


def _carrying(
    net: Network, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]
) -> TracedFunction:
    """The outputs of those of `ends` that are layers, and the deltas of all.

    delta (n, h, w, c), of the output of `start`. Its recording raises ShapeError where nothing
    leads from an end to `start`.
    """

    def record(n: int) -> Graph:
        sized = net.sized(x)
        recorder = Tracer(sized.ops)
        picture = enter(recorder.input((n, *x.shape[1:])), recorder, net.settings)
        given = recorder.input((n, *delta.shape[1:]))
        outputs = forward(sized.layers, recorder, picture, start, train=False, keep=True)
        wanted = Wanted(input_deltas=True, updates=False)
        deltas = carry(sized.layers, recorder, {start: given}, wanted, min(ends) + 1, ends)
        forget(sized.layers)
        for end in ends:
            if end not in deltas:
                raise ShapeError(f"{net.path}: nothing leads from layer {end} to layer {start}")
        if PICTURE in ends:
            deltas[PICTURE] = leave(deltas[PICTURE], recorder, net.settings)
        maps = [outputs[end] for end in ends if end != PICTURE]
        return recorder.recording([*maps, *(deltas[end] for end in ends)])

    return TracedFunction(f"carry {start} {tuple(ends)}", record, [x, delta])
