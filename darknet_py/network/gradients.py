"""A delta put in at one layer's output and read where one wants it: the gradients of explanations.

In inference, so nothing learns: batch norm has its rolling statistics, dropout does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.layers import Layer, Wanted
from darknet_py.network.passes import forget, forward
from darknet_py.network.recordings import Work
from darknet_py.ops.record import Recorder, Recording

if TYPE_CHECKING:
    from darknet_py.network.network import Network

Array = Any

PICTURE = -1
"""What stands for the network's input among numbers of layers."""


class Carried(NamedTuple):
    """Of each layer asked for its output and that output's delta, (n, c, h, w); the map of PICTURE
    is the picture."""

    maps: list[np.ndarray]
    deltas: list[np.ndarray]


def output(net: Network, x: np.ndarray, layer: int) -> Work:
    """The output of one layer; what comes after it is not computed."""

    def record(n: int) -> Recording:
        sized = net.sized(x)
        recorder = Recorder(sized.ops)
        start = recorder.to_hwc(recorder.input((n, *x.shape[1:])))
        outputs = forward(sized.layers, recorder, start, layer, train=False, keep=True)
        forget(sized.layers)
        return recorder.recording([outputs[layer]])

    return Work(f"output {layer}", record, [x])


def carrying(
    net: Network, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]
) -> Work:
    """The outputs of those of `ends` that are layers, and the deltas of all.

    delta (n, h, w, c), of the output of `start`. Its recording raises ShapeError where nothing
    leads from an end to `start`.
    """

    def record(n: int) -> Recording:
        sized = net.sized(x)
        recorder = Recorder(sized.ops)
        picture = recorder.to_hwc(recorder.input((n, *x.shape[1:])))
        given = recorder.input((n, *delta.shape[1:]))
        outputs = forward(sized.layers, recorder, picture, start, train=False, keep=True)
        deltas = backward_to(sized.layers, recorder, given, start, ends)
        forget(sized.layers)
        for end in ends:
            if end not in deltas:
                raise ShapeError(f"{net.path}: nothing leads from layer {end} to layer {start}")
        maps = [outputs[end] for end in ends if end != PICTURE]
        return recorder.recording([*maps, *(deltas[end] for end in ends)])

    return Work(f"carry {start} {tuple(ends)}", record, [x, delta])


def backward_to(
    layers: Sequence[Layer], ops: Any, delta: Array, start: int, ends: Sequence[int]
) -> dict[int, Array]:
    """Carries the delta of layer `start`'s output back; deltas by layer, those of `ends` whole.

    passes.backward lets each delta go once it is used; here they are what is wanted.
    """
    deltas: dict[int, Array] = {start: delta}
    wanted = Wanted(input_deltas=True, updates=False)
    for index in range(start, min(ends), -1):
        if index not in deltas:
            continue
        layer = layers[index]
        input_deltas = layer.backward(deltas[index], ops, wanted)
        for i, input_delta in zip(layer.inputs, input_deltas, strict=True):
            deltas[i] = ops.add(deltas[i], input_delta) if i in deltas else input_delta
    return deltas
