"""[activation]: an activation function as a layer of its own."""

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
)


@register("activation")
class Activation(Layer):
    """y = activation(x). Keys: activation (linear). in (h, w, c) -> out the same.

    Source: activation_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.activation = read_activation(section, "linear")

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return activate(x, self.activation, ops)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_backward(delta, saved, self.activation)]
