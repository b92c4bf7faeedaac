"""[route]: the outputs of earlier layers, side by side."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, register


@register("route")
class Route(Layer):
    """y = the outputs of the layers named, joined along their channels.

    Keys: layers (needed: numbers from the start, or if negative from here).

    in (h, w, c_i) of each -> out (h, w, sum of c_i); all must have one height and width.
    Source: route_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        layers = section.get_ints("layers")
        if not layers:
            section.fail("layers= is missing: expected layer numbers, as in layers=-1,8")
        self.inputs = tuple(context.resolve(section, "layers", layer) for layer in layers)
        in_shapes = [context.out_shapes[index] for index in self.inputs]
        for index, shape in zip(self.inputs, in_shapes, strict=True):
            if shape[:2] != in_shapes[0][:2]:
                section.fail(
                    f"layer {index} gives {shape}, layer {self.inputs[0]} {in_shapes[0]}: "
                    "expected one width and height",
                    "layers",
                )
        self.in_shape = in_shapes[0]
        self.channels = [shape.c for shape in in_shapes]
        self.out_shape = self.in_shape._replace(c=sum(self.channels))

    def forward(self, *args: Array) -> tuple[Array, Any]:
        *maps, ops, _train = args
        return ops.concat(maps), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return ops.concat_backward(delta, self.channels)  # type: ignore[no-any-return]

    def describe(self) -> str:
        return "route  " + " ".join(str(index) for index in self.inputs)
