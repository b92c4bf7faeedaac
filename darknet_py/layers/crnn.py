"""[crnn]: a simple recurrent layer of convolutions."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.errors import ShapeError
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Wanted,
    read_activation,
    register,
)
from darknet_py.layers.parts.conv import Conv, ConvWindow


@register("crnn")
class Crnn(Layer):
    """For each step x of a sequence, three convolutions, I, S and O, of one activation:

    state' = I(x) + S(state), with shortcut + state; y = O(state').

    Keys: output_filters (1), hidden_filters (1): pjreddie's, whose convolutions are 3x3 at stride 1
    with padding 1; or, where one of them is there, AlexeyAB's output (1) and hidden (1), with size
    (3), pad (0), padding (0) and groups (1); other strides than 1, dilation and xnor are refused;
    activation (logistic), batch_normalize (0), shortcut (0). The sequences have the
    time_steps of [net].

    in (h, w, c) -> out (h, w, output_filters), where the padding keeps the size, which the state
    must. The rows are time_steps * batch, time the slower index. The state is 0 before the first
    step of every forward.

    Learned, in `.weights` order: those of I, of S, of O; see parts/conv.py. In training
    batch_normalize takes mean and variance of each step by itself.
    Source: crnn_layer.c of both programs, which go on with the state of the forward before, in
    inference. Their backward is not the gradient, as that of [rnn]; here it is exact. pjreddie's
    takes the width for the height, and fails where they differ.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.time_steps = context.time_steps
        window, filters, hidden = ConvWindow(3, 1, 1), 0, 0
        if "output" in section or "hidden" in section:
            filters = section.get_int("output", 1, minimum=1)
            hidden = section.get_int("hidden", 1, minimum=1)
            window = self._read_window(section, filters, hidden)
        else:
            filters = section.get_int("output_filters", 1, minimum=1)
            hidden = section.get_int("hidden_filters", 1, minimum=1)
        activation = read_activation(section, "logistic")
        how = window, activation, section.get_flag("batch_normalize"), context.rules
        self.shortcut = section.get_flag("shortcut")
        self.input = Conv(self.in_shape, hidden, *how)
        self.self = Conv(self.in_shape._replace(c=hidden), hidden, *how)
        self.output = Conv(self.in_shape._replace(c=hidden), filters, *how)
        self.out_shape = self.output.out_shape
        if self.out_shape[:2] != self.in_shape[:2]:
            section.fail(
                f"its state is {self.in_shape}, its output {self.out_shape}: expected one width "
                "and height, as with pad=1 and an odd size"
            )

    def _read_window(self, section: Section, filters: int, hidden: int) -> ConvWindow:
        size = section.get_int("size", 3, minimum=1, maximum=1024)
        padding = section.get_int("padding", 0, minimum=0, maximum=1024)
        if section.get_flag("pad"):
            padding = size // 2
        groups = section.get_int("groups", 1, minimum=1)
        for count in (self.in_shape.c, hidden, filters):
            if count % groups:
                section.fail(f"groups={groups}: expected a divisor of {count}", "groups")
        return ConvWindow(size, 1, padding, groups)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        if x.shape[0] == 0 or x.shape[0] % self.time_steps:
            expected = f"expected sequences of time_steps={self.time_steps} rows each"
            raise ShapeError(f"{expected}, found {x.shape[0]} rows in all")
        steps = ops.split_steps(x, self.time_steps)
        state = None
        outputs, saved = [], []
        for step in steps:
            input_part, input_saved = self.input.forward(step, ops, train)
            if state is None:
                state = ops.zero_map(input_part)
            self_part, self_saved = self.self.forward(state, ops, train)
            changed = ops.add(input_part, self_part)
            state = ops.add(state, changed) if self.shortcut else changed
            y, output_saved = self.output.forward(state, ops, train)
            outputs.append(y)
            saved.append((input_saved, self_saved, output_saved))
        return ops.join_steps(outputs), saved

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        always = wanted._replace(input_deltas=True)
        later, x_deltas = None, []  # `later`: the delta that later steps give the state
        deltas = ops.split_steps(delta, self.time_steps)
        for y_delta, step in zip(reversed(deltas), reversed(saved), strict=True):
            input_saved, self_saved, output_saved = step
            state_delta = self.output.backward(y_delta, output_saved, ops, always)
            if later is not None:
                state_delta = ops.add(state_delta, later)
            later = self.self.backward(state_delta, self_saved, ops, always)
            if self.shortcut:
                later = ops.add(later, state_delta)
            x_deltas.append(self.input.backward(state_delta, input_saved, ops, wanted))
        return [ops.join_steps(x_deltas[::-1]) if wanted.input_deltas else None]

    def parameters(self) -> list[Parameter]:
        return [p for part in (self.input, self.self, self.output) for p in part.parameters()]

    def operations(self) -> int:
        return sum(part.operations() for part in (self.input, self.self, self.output))

    def describe(self) -> str:
        h, w, c = self.in_shape
        return f"CRNN Layer: {h} x {w} x {c} image, {self.out_shape.c} filters"
