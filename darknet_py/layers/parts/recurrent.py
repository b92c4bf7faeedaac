"""What recurrent layers share: time steps, and gates of input and state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darknet_py.cfg.rules import Rules
from darknet_py.cfg.sections import Section
from darknet_py.errors import ShapeError
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Shape,
    Wanted,
    activate,
)
from darknet_py.layers.parts.dense import Dense


class Gate:
    """y = activation(W state + U x), x a step of the input, both products with their biases.

    W is `from_state`, U is `from_input`, each a Dense. With batch_normalize each product is
    normalised by itself, in training over the step's rows.
    """

    def __init__(
        self,
        in_shape: Shape,
        outputs: int,
        activation: str,
        batch_normalize: bool,
        rules: Rules,
    ) -> None:
        self.activation = activation
        how = outputs, "linear", batch_normalize, rules
        self.from_state = Dense(Shape(1, 1, outputs), *how)
        self.from_input = Dense(in_shape, *how)

    def forward(self, x: Array, state: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        """The output (batch, 1, 1, outputs), and what backward needs."""
        state_part, state_saved = self.from_state.forward(state, ops, train)
        input_part, input_saved = self.from_input.forward(x, ops, train)
        y, activated = activate(ops.add(state_part, input_part), self.activation, ops)
        return y, (activated, state_saved, input_saved)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> tuple[Array, Array]:
        """The deltas of x, None if it is not wanted, and of the state, which always is."""
        activated, state_saved, input_saved = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        always = wanted._replace(input_deltas=True)
        state_delta = self.from_state.backward(delta, state_saved, ops, always)
        return self.from_input.backward(delta, input_saved, ops, wanted), state_delta


class Recurrent(Layer):
    """A layer with a state that each step of a sequence changes: rows are time_steps * batch, time
    the slower index, and the state is 0 before the first step of every forward."""

    is_vector = True
    gates: Sequence[Gate] = ()

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.time_steps, self.rules = context.time_steps, context.rules
        self.out_shape = Shape(1, 1, section.get_int("output", 1, minimum=1))

    def split_steps(self, x: Array, ops: Ops) -> list[Array]:
        """x (time_steps * batch, h, w, c) as its steps. Raises ShapeError where that cannot be."""
        rows = x.shape[0]
        if rows == 0 or rows % self.time_steps:
            expected = f"expected sequences of time_steps={self.time_steps} rows each"
            raise ShapeError(f"{expected}, found {rows} rows in all")
        steps: list[Array] = ops.split_steps(x, self.time_steps)
        return steps

    def products(self) -> list[Dense]:
        """What it multiplies its input and state by, in `.weights` order."""
        from_state = [gate.from_state for gate in self.gates]
        return [*from_state, *(gate.from_input for gate in self.gates)]

    def parameters(self) -> list[Parameter]:
        return [p for product in self.products() for p in product.parameters()]

    def operations(self) -> int:
        return sum(product.operations() for product in self.products())

    def describe(self) -> str:
        sizes = f"{self.in_shape.size} inputs, {self.out_shape.size} outputs"
        return f"{self.kind.upper()} Layer: {sizes}"
