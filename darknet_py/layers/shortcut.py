"""[shortcut]: the output of an earlier layer added, as in a residual network."""

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


@register("shortcut")
class Shortcut(Layer):
    """y = activation(alpha x + beta z), z the output of layer `from`.

    Keys: from (needed: a number from the start, or if negative from here), activation (linear),
    alpha (1), beta (1).

    in (h, w, c) and (h', w', c') -> out (h, w, c). Where the sizes differ, every
    larger // smaller pixel and the first min(c, c') channels are added. Source: shortcut_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        if "from" not in section:
            section.fail("from= is missing: expected a layer's number, as in from=-3")
        if "," in section.get_text("from", ""):
            section.fail("from: more than one layer is not computed here", "from")
        index = context.resolve(section, "from", section.get_int("from", 0))
        self.inputs = context.index - 1, index
        self.from_shape = context.out_shapes[index]
        self.activation = read_activation(section, "linear")
        self.alpha, self.beta = section.get_float("alpha", 1), section.get_float("beta", 1)

    def forward(self, x: Array, other: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        total = ops.shortcut(x, other, self.alpha, self.beta)
        y, activated = activate(total, self.activation, ops)
        return y, (activated, other.shape)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        activated, other_shape = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        return list(ops.shortcut_backward(delta, other_shape, self.alpha, self.beta))

    def describe(self) -> str:
        shapes = f"{table_shape(self.from_shape)}   ->  {table_shape(self.out_shape)}"
        return f"res  {self.inputs[1]:3d}                {shapes}"
