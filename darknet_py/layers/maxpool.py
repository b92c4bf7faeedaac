"""[maxpool]: the largest value of each window."""

from __future__ import annotations

from fractions import Fraction
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
    check_map,
    register,
    table_shape,
)
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

    def __init__(
        self, in_shape: Shape, inputs: tuple[int, ...], size: int, stride: int, padding: int
    ) -> None:
        out_h, out_w = (maxpool_out(length, size, stride, padding) for length in in_shape[:2])
        super().__init__(in_shape, Shape(out_h, out_w, in_shape.c), inputs)
        self.window = size, stride, padding

    @classmethod
    def from_section(cls, section: Section, context: BuildContext) -> Maxpool:
        stride = section.get_int("stride", 1, minimum=1)
        size = section.get_int("size", stride, minimum=1)
        padding = section.get_int("padding", size - 1, minimum=0, maximum=2 * size - 2)
        layer = cls(context.in_shape, (context.index - 1,), size, stride, padding)
        check_map(section, layer.in_shape, layer.out_shape)
        return layer

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.maxpool(x, *self.window), x

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.maxpool_backward(delta, saved, *self.window)]

    @property
    def input_window(self) -> Window:
        size, stride, padding = self.window
        return Window(size, Fraction(stride), padding // 2)

    def describe(self) -> str:
        size, stride, _ = self.window
        shapes = f"{table_shape(self.in_shape)}   ->  {table_shape(self.out_shape)}"
        return f"max         {size:2d} x{size:2d} /{stride:2d}  {shapes}"
