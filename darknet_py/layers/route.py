"""[route]: the outputs of earlier layers, or parts of them, side by side."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, register


@register("route")
class Route(Layer):
    """y = the outputs of the layers named, joined along their channels. With groups, of each
    output the group_id-th of so many equal parts of its channels.

    Keys: layers (needed: numbers from the start, or if negative from here), groups (1), group_id
    (0).

    in (h, w, c_i) of each -> out (h, w, sum of c_i / groups); all must have one height and width,
    and groups must divide the channels of each.
    Source: route_layer.c; groups are AlexeyAB's (Wang et al. 2020, CSPNet, has half of a map go
    its own way).
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
        self.groups = section.get_int("groups", 1, minimum=1)
        self.group_id = section.get_int("group_id", 0, minimum=0, maximum=self.groups - 1)
        for index, shape in zip(self.inputs, in_shapes, strict=True):
            if shape.c % self.groups:
                section.fail(
                    f"groups={self.groups}: expected a divisor of the channels of layer {index}, "
                    f"which are {shape.c}",
                    "groups",
                )
        self.in_channels = [shape.c for shape in in_shapes]
        self.channels = [c // self.groups for c in self.in_channels]
        self.out_shape = self.in_shape._replace(c=sum(self.channels))

    def forward(self, *args: Array) -> tuple[Array, Any]:
        *maps, ops, _train = args
        parts = [
            ops.slice_channels(x, self.group_id * c, c)
            for x, c in zip(maps, self.channels, strict=True)
        ]
        return ops.concat(parts), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        parts = ops.concat_backward(delta, self.channels)
        return [
            ops.slice_channels_backward(part, self.group_id * c, in_c)
            for part, c, in_c in zip(parts, self.channels, self.in_channels, strict=True)
        ]

    def describe(self) -> str:
        part = f"  {self.group_id}/{self.groups}" if self.groups > 1 else ""
        return "route  " + " ".join(str(index) for index in self.inputs) + part
