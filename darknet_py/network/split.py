"""A network in two: a front that does not learn, and a rear that does.

What the front says of a picture never changes while the rear is trained, so that it need be
computed only once.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from darknet_py.layers import Layer, Shape
from darknet_py.network.network import Network
from darknet_py.network.optimiser import Optimiser
from darknet_py.network.passes import first_learning
from darknet_py.network.plateau import Plateau


def front_end(layers: Sequence[Layer]) -> int:
    """The last layer of the longest front that does not learn, draws nothing at random, and of
    which the layers after it read the end alone; -1 where there is none."""
    last = min(first_learning(layers), len(layers) - 1) - 1
    while last >= 0 and not _can_end_at(layers, last):
        last -= 1
    return last


def _can_end_at(layers: Sequence[Layer], last: int) -> bool:
    draws = any(layer.state() and not layer.frozen for layer in layers[: last + 1])
    return not draws and all(i >= last for layer in layers[last + 1 :] for i in layer.inputs)


def averages(layers: Sequence[Layer], last: int) -> bool:
    """Whether means over pixels of what layer `last` gives are all that matters after it: a 1x1
    convolution, say, of which [avgpool] takes the mean. The mean may then be taken before."""
    readers = [layer for layer in layers if last in layer.inputs]
    if len(readers) != 1 or layers[last + 1] is not readers[0]:
        return False
    if readers[0].kind == "avgpool":
        return True
    readers_of_next = [layer for layer in layers if last + 1 in layer.inputs]
    return readers[0].is_pointwise and [layer.kind for layer in readers_of_next] == ["avgpool"]


def rear(net: Network, last: int) -> Network:
    """The layers after `last` as a network of their own, whose pictures are the outputs of that
    layer, (n, c, h, w); or the means (n, c) of their pixels, where these are enough: `averages`.

    Parameters are the same objects: when the rear learns, `net` does. The count of pictures, the
    optimiser and the settings of training are its own.
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
    # what the front gives is as it should be: mean= and std= were for pictures
    other.settings = replace(
        net.settings, shape=in_shape, is_vector=averaged, mean=(), deviation=()
    )
    other.optimiser = Optimiser(net.settings.optimiser, net.ops)
    other.engine = net.ops.Engine(net.engine.exact, net.engine.half)
    other.average, other.seen = None, 0
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
