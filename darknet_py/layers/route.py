"""[route]: the outputs of earlier layers, side by side."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, register


@register("route")
class Route(Layer):
    """y = the outputs of the layers named, joined along their channels.

    Keys: layers (needed: numbers from the start, or if negative from here).

    in (h, w, c_i) of each -> out (h, w, sum of c_i); all must have one height and width.
    Source: route_layer.c.
    """

    def __init__(self, in_shapes: list[Shape], inputs: tuple[int, ...]) -> None:
        h, w, _ = in_shapes[0]
        super().__init__(in_shapes[0], Shape(h, w, sum(shape.c for shape in in_shapes)), inputs)
        self.channels = [shape.c for shape in in_shapes]

    @classmethod
    def from_section(cls, section: Section, context: BuildContext) -> Route:
        layers = section.get_ints("layers")
        if not layers:
            section.fail("layers= is missing: expected layer numbers, as in layers=-1,8")
        inputs = tuple(context.resolve(section, "layers", layer) for layer in layers)
        in_shapes = [context.out_shapes[index] for index in inputs]
        for index, shape in zip(inputs, in_shapes, strict=True):
            if shape[:2] != in_shapes[0][:2]:
                section.fail(
                    f"layer {index} gives {shape}, layer {inputs[0]} {in_shapes[0]}: "
                    "expected one width and height",
                    "layers",
                )
        return cls(in_shapes, inputs)

    def forward(self, *args: Array) -> tuple[Array, Any]:
        *maps, ops, _train = args
        return ops.concat(maps), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return ops.concat_backward(delta, self.channels)  # type: ignore[no-any-return]

    def describe(self) -> str:
        return "route  " + " ".join(str(index) for index in self.inputs)
