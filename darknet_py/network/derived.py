"""Networks that share a network's parameters: resized, truncated, or its head alone.

Behind a frozen backbone the head may learn by itself, from features that are computed once.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from darknet_py.errors import CfgError, ShapeError
from darknet_py.layers import Layer, Shape
from darknet_py.network.builder import build_layers
from darknet_py.network.io_checks import check_layers
from darknet_py.network.model import M, Model
from darknet_py.network.optimiser import Optimiser
from darknet_py.network.passes import first_learning
from darknet_py.network.plateau import Plateau


def resized(net: M, w: int, h: int) -> M:
    """All layers, for pictures of another size: see Network.resized."""
    w, h = operator.index(w), operator.index(h)
    if min(w, h) < 1:
        raise ShapeError(f"{net.path}: takes no picture of {w} x {h}")
    other = copy.copy(net)
    other.in_shape = Shape(h, w, net.in_shape.c)
    try:
        other.layers = build_layers(net.sections, net.settings, other.in_shape, net.layers)
    except CfgError as error:
        raise ShapeError(f"{error} (with a picture of {w} x {h})") from error
    for index, (layer, own) in enumerate(zip(other.layers, net.layers, strict=True)):
        layer.frozen = own.frozen
        for new, old in zip(layer.parameters(), own.parameters(), strict=True):
            if (new.shape, new.file_shape) != (old.shape, old.file_shape):
                raise ShapeError(
                    f"{net.path}: layer {index} [{layer.kind}] only takes a map of "
                    f"{own.in_shape}, and a picture of {w} x {h} gives {layer.in_shape}"
                )
            new.share(old)
    return other


def sized(net: M, x: np.ndarray) -> M:
    """This network, or one resized to the pictures (n, c, h, w)."""
    shape = np.shape(x)
    if net.settings.is_vector or len(shape) != 4 or shape[2:] == net.in_shape[:2]:
        return net
    return resized(net, w=shape[3], h=shape[2])


_NEAR = 64
"""Pixels that a size may be increased by to fit: more than the largest stride of a network."""


def next_size(net: Model, w: int, h: int) -> tuple[int, int]:
    """The smallest size that the network takes: see Network.next_size."""
    try:
        resized(net, w, h)
        return w, h
    except ShapeError as error:
        first = error
    own = net.in_shape
    wide = _next_fitting(lambda length: resized(net, length, own.h), w)
    high = _next_fitting(lambda length: resized(net, own.w, length), h)
    if wide is None or high is None:
        raise first
    resized(net, wide, high)
    return wide, high


def _next_fitting(build: Callable[[int], Model], least: int) -> int | None:
    """The first length from `least` on for which a network can be built."""
    for length in range(max(least, 1), least + _NEAR + 1):
        try:
            build(length)
        except ShapeError:
            continue
        return length
    return None


def truncated(net: M, last: int) -> M:
    """Layers 0 to `last`: see Network.truncated."""
    check_layers(net, [last])
    other = copy.copy(net)
    other.layers = net.layers[: last + 1]
    other.sections = net.sections[: last + 2]
    return other


def on_meta(net: M) -> M:
    """The same network with parameters that take no memory, to estimate what it needs."""
    other = resized(net, net.in_shape.w, net.in_shape.h)
    for parameter in other.parameters():
        parameter.to_meta()
    return other


def head(net: M, last: int) -> M:
    """The layers after `last` as a network on its outputs, (n, c, h, w), or on their global average
    pool (n, c), where that is enough: `averages`. The parameters are shared; `seen`, the optimiser
    and the settings of training are its own.
    """
    averaged = averages(net.layers, last)
    in_shape = net.layers[last].out_shape
    layers = [_moved(layer, last + 1) for layer in net.layers[last + 1 :]]
    if averaged:
        in_shape = Shape(1, 1, in_shape.c)
        layers = [_of_one_pixel(layer) for layer in layers]
    other = copy.copy(net)
    other.layers = other.whole = layers
    other.sections = [net.sections[0], *net.sections[last + 2 :]]
    other.in_shape = in_shape
    # mean= and std= are for pictures, not for features
    other.settings = replace(
        net.settings, shape=in_shape, is_vector=averaged, mean=(), deviation=()
    )
    other.optimiser = Optimiser(net.settings.optimiser, net.ops)
    other.engine = net.ops.Engine(net.engine.exact, net.engine.half)
    other.average, other.seen = None, 0
    other.next_sizes = {}
    other.plateau = Plateau(net.plateau.how) if net.plateau is not None else None
    return other


def _moved(layer: Layer, by: int) -> Layer:
    """The same layer, `by` places nearer to the start."""
    other = copy.copy(layer)
    other.inputs = tuple(i - by for i in layer.inputs)
    return other


def _of_one_pixel(layer: Layer) -> Layer:
    """A layer at or before [avgpool], or after it, for a map of one pixel."""
    other = copy.copy(layer)
    other.in_shape = Shape(1, 1, layer.in_shape.c)
    other.out_shape = Shape(1, 1, layer.out_shape.c)
    return other


def backbone_end(layers: Sequence[Layer]) -> int:
    """The last layer of the longest backbone that does not learn, is not random, and of which later
    layers read the last output only; -1 where there is none."""
    for last in range(min(first_learning(layers), len(layers) - 1) - 1, -1, -1):
        draws = any(layer.state() and not layer.frozen for layer in layers[: last + 1])
        if not draws and all(i >= last for layer in layers[last + 1 :] for i in layer.inputs):
            return last
    return -1


def averages(layers: Sequence[Layer], last: int) -> bool:
    """Whether the layers after `last` depend on its global average pool only: [avgpool], perhaps
    after a 1x1 convolution, with which it commutes."""
    readers = [layer for layer in layers if last in layer.inputs]
    if len(readers) != 1 or layers[last + 1] is not readers[0]:
        return False
    if readers[0].kind == "avgpool":
        return True
    readers_of_next = [layer for layer in layers if last + 1 in layer.inputs]
    return readers[0].is_pointwise and [layer.kind for layer in readers_of_next] == ["avgpool"]
