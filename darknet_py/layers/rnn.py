"""[rnn]: a simple recurrent layer, with an output layer of its own."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Wanted, read_activation, register
from darknet_py.layers.parts.dense import Dense
from darknet_py.layers.parts.recurrent import Recurrent


@register("rnn")
class Rnn(Recurrent):
    """For each step x of a sequence, three connected layers, I, S and O, of one activation:

    state' = I(x) + S(state), with shortcut + state; y = O(state').

    Keys: output (1), activation (logistic), batch_normalize (0), shortcut (0); hidden is output,
    whatever it says, as in the C program; the sequences have the time_steps of [net].

    in (h, w, c) -> out (1, 1, output). The rows are time_steps * batch, time the slower index. The
    state is 0 before the first step of every forward.

    Learned, in `.weights` order: those of I, of S, of O; see parts/dense.py. In training
    batch_normalize takes mean and variance of each step by itself.
    Source: Elman 1990; rnn_layer.c. The C program goes on with the state of the forward before,
    in inference, until it is told to forget. Its backward on the CPU is not the gradient: I's
    delta is multiplied by the derivative of S too, shortcut's state is left out, and all steps are
    normalised by the last one's statistics. Here it is exact.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        output = self.out_shape.c
        hidden = section.get_int("hidden", output)
        if hidden != output:
            section.warn(f"hidden={hidden} is read as {output}, as output", "hidden")
        normalize = section.get_flag("batch_normalize")
        self.shortcut = section.get_flag("shortcut")
        how = output, read_activation(section, "logistic"), normalize, self.rules
        self.input = Dense(self.in_shape, *how)
        self.self = Dense(self.out_shape, *how)
        self.output = Dense(self.out_shape, *how)

    def products(self) -> list[Dense]:
        return [self.input, self.self, self.output]

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        steps = self.split_steps(x, ops)
        state = ops.zero_state(steps[0], self.out_shape.c)
        outputs, saved = [], []
        for step in steps:
            input_part, input_saved = self.input.forward(step, ops, train)
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
