"""[sam]: two maps multiplied, element by element."""

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


@register("sam")
class Sam(Layer):
    """y = activation(x z), z the output of layer `from`, element by element.

    Keys: from (needed: a number from the start, or if negative from here), activation (linear).

    in (h, w, c) of both -> out the same.
    Source: AlexeyAB's sam_layer.c; spatial attention, Woo et al. 2018 (CBAM), of every element as
    in Bochkovskiy et al. 2020.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        if "from" not in section:
            section.fail("from= is missing: expected a layer's number, as in from=-2")
        index = context.resolve(section, "from", section.get_int("from", 0))
        self.inputs = context.index - 1, index
        self.activation = read_activation(section, "linear")
        if context.out_shapes[index] != self.in_shape:
            section.fail(
                f"layer {index} gives {context.out_shapes[index]}, layer {self.inputs[0]} "
                f"{self.in_shape}: expected one shape",
                "from",
            )

    def forward(self, x: Array, other: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y, activated = activate(ops.multiply(x, other), self.activation, ops)
        return y, (x, other, activated)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, other, activated = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        return list(ops.multiply_backward(delta, x, other))

    def describe(self) -> str:
        head = f"sam   {self.inputs[1]:3d}"
        return f"{head:<24}{table_shape(self.in_shape)}   ->  {table_shape(self.out_shape)}"
