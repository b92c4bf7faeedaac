"""[maxpool]: the largest value of each window."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register
from darknet_py.ops.sizes import maxpool_out


@register("maxpool", "max")
class Maxpool(Layer):
    """y = the largest x of each window, channel by channel.

    Keys: stride (1), size (stride), padding (size - 1: the total of both sides; at most
    2 size - 2, so that every window has something of the map).

    in (h, w, c) -> out (h', w', c), h' = (h + padding - size) / stride + 1, rounded towards 0
    before 1 is added: a window may be larger than the map by less than a stride. The first window
    begins at -(padding // 2); nothing outside the map ever wins. Backward, a window's delta goes
    to its first largest value. Source: maxpool_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        stride = section.get_int("stride", 1, minimum=1)
        size = section.get_int("size", stride, minimum=1)
        padding = section.get_int("padding", size - 1, minimum=0, maximum=2 * size - 2)
        h, w, c = self.in_shape
        out_h, out_w = (maxpool_out(length, size, stride, padding) for length in (h, w))
        self.out_shape = Shape(out_h, out_w, c)
        self.window = size, stride, padding

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.maxpool(x, *self.window), x

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.maxpool_backward(delta, saved, *self.window)]

    @property
    def input_window(self) -> Window:
        size, stride, padding = self.window
        return Window(size, Fraction(stride), padding // 2)

    @property
    def title(self) -> str:
        size, stride, _ = self.window
        return f"max         {size:2d} x{size:2d} /{stride:2d}  "
