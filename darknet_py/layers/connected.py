"""[connected]: a fully connected layer."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Shape,
    Wanted,
    read_activation,
    register,
)
from darknet_py.layers.parts.dense import Dense


@register("connected", "conn")
class Connected(Layer):
    """y = activation(weights x + biases), x the map before it read as a vector.

    Keys: output (1), activation (logistic), batch_normalize (0).

    in (h, w, c) -> out (1, 1, output). Learned arrays: see parts/dense.py.
    Source: connected_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        output = section.get_int("output", 1, minimum=1)
        activation = read_activation(section, "logistic")
        self.out_shape = Shape(1, 1, output)
        normalize = section.get_flag("batch_normalize")
        self.dense = Dense(self.in_shape, output, activation, normalize, context.rules)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return self.dense.forward(x, ops, train)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [self.dense.backward(delta, saved, ops, wanted)]

    def parameters(self) -> list[Parameter]:
        return self.dense.parameters()

    def operations(self) -> int:
        return self.dense.operations()

    def describe(self) -> str:
        return (
            f"connected                            {self.in_shape.size:4d}  ->  "
            f"{self.out_shape.size:4d}"
        )
