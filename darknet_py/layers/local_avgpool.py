"""[local_avgpool]: the mean of each window."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Shape,
    Wanted,
    Window,
    read_pool,
    register,
    table_shape,
)
from darknet_py.ops.sizes import maxpool_outs, pair


@register("local_avgpool", "local_avg")
class LocalAvgpool(Layer):
    """y = the mean of each window of x, channel by channel, of what is inside the map.

    Keys: stride (1), stride_x (stride), stride_y (stride), size (stride), padding (size - 1: the
    total of both sides; at most 2 size - 2, so that every window has something of the map).

    in (h, w, c) -> out (h', w', c), h' = (h + padding - size) / stride + 1, rounded towards 0
    before 1 is added. The first window begins at -(padding // 2).
    Source: maxpool_layer.c of AlexeyAB's darknet.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        h, w, c = self.in_shape
        self.window = read_pool(section)
        self.out_shape = Shape(*maxpool_outs(h, w, *self.window), c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.local_avgpool(x, *self.window), x.shape

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.local_avgpool_backward(delta, saved, *self.window)]

    @property
    def input_window(self) -> Window:
        size, stride, padding = self.window
        # one number for both sides: a multiple of both
        return Window(size, Fraction(lcm(*pair(stride))), padding // 2)

    def describe(self) -> str:
        size, (down, right) = self.window[0], pair(self.window[1])
        window = f"{size:2d}x{size:2d}/{right:2d}"
        window = f" {window}   " if down == right else f"{window}x{down:2d} "
        shapes = f"{table_shape(self.in_shape)} -> {table_shape(self.out_shape)}"
        return f"avg              {window}{shapes}"
