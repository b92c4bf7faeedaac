"""[scale_channels]: a map times a factor for each channel, or for each pixel."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Wanted,
    activate,
    read_activation,
    register,
    table_shape,
)


@register("scale_channels")
class ScaleChannels(Layer):
    """y = activation(x z), z the output of layer `from`, x the factors of its channels, or with
    scale_wh of its pixels.

    Keys: from (needed: a number from the start, or if negative from here), scale_wh (0),
    activation (linear).

    in (1, 1, c), with scale_wh (h, w, 1), and (h, w, c) -> out (h, w, c).
    Source: AlexeyAB's scale_channels_layer.c; squeeze and excitation, Hu et al. 2018.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        if "from" not in section:
            section.fail("from= is missing: expected a layer's number, as in from=-4")
        index = context.resolve(section, "from", section.get_int("from", 0))
        self.inputs = context.index - 1, index
        self.out_shape = context.out_shapes[index]
        self.activation = read_activation(section, "linear")
        h, w, c = self.out_shape
        expected = (h, w, 1) if section.get_flag("scale_wh") else (1, 1, c)
        if self.in_shape != expected:
            section.fail(
                f"layer {index} gives {self.out_shape}, layer {self.inputs[0]} {self.in_shape}: "
                f"expected {expected[1]} x {expected[0]} x {expected[2]} factors",
                "from",
            )

    def forward(self, x: Array, other: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y, activated = activate(ops.multiply(other, x), self.activation, ops)
        return y, (x, other, activated)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, other, activated = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        other_delta, x_delta = ops.multiply_backward(delta, other, x)
        return [x_delta, other_delta]

    def describe(self) -> str:
        head = f"scale {self.inputs[1]:3d}"
        return f"{head:<24}{table_shape(self.in_shape)}   ->  {table_shape(self.out_shape)}"
