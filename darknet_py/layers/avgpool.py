"""[avgpool]: the mean of each channel."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Shape,
    Wanted,
    register,
    table_shape,
)


@register("avgpool", "avg")
class Avgpool(Layer):
    """y = the mean of x over a channel's pixels. No keys.

    in (h, w, c) -> out (1, 1, c). Source: avgpool_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.out_shape = Shape(1, 1, self.in_shape.c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.avgpool(x), x.shape

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.avgpool_backward(delta, saved)]

    def describe(self) -> str:
        return f"avg                     {table_shape(self.in_shape)}   ->  {self.out_shape.c:4d}"
