"""[activation]: an activation function as a layer of its own."""

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
    read_activation,
    register,
)


@register("activation")
class Activation(Layer):
    """y = activation(x). Keys: activation (linear). in (h, w, c) -> out the same.

    Source: activation_layer.c.
    """

    def __init__(self, in_shape: Shape, inputs: tuple[int, ...], activation: str) -> None:
        super().__init__(in_shape, in_shape, inputs)
        self.activation = activation

    @classmethod
    def from_section(cls, section: Section, context: BuildContext) -> Activation:
        activation = read_activation(section, "linear")
        return cls(context.in_shape, (context.index - 1,), activation)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate(x, self.activation)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_backward(delta, saved, self.activation)]
