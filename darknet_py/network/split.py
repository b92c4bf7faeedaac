"""Where a network may be cut in two: a front that does not learn, and a rear that does.

What the front says of a picture never changes while the rear is trained, so that it need be
computed only once.
"""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.layers import Layer
from darknet_py.network.passes import first_learning


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
