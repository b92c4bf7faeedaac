"""[gru]: a gated recurrent unit."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Wanted, register
from darknet_py.layers.parts.dense import Dense
from darknet_py.layers.parts.recurrent import Gate, Recurrent


@register("gru")
class Gru(Recurrent):
    """For each step x of a sequence, * element by element, every product with its biases:

    z = logistic(wz state + uz x), how much is kept; r = logistic(wr state + ur x), how much of it
    is masked; h = logistic(wh (r * state) + uh x), with tanh its tanh; y = state' =
    z * state + (1 - z) * h.

    Keys: output (1), batch_normalize (0), tanh (0: h is a logistic one, as in the C program,
    whatever the paper says); the sequences have the time_steps of [net].

    in (h, w, c) -> out (1, 1, output). The rows are time_steps * batch, time the slower index. The
    state is 0 before the first step of every forward.

    Learned, in `.weights` order: those of wz, wr, wh, uz, ur, uh, by AlexeyAB's rules uz, ur, uh,
    wz, wr, wh; see parts/dense.py. In training batch_normalize takes mean and variance of each
    step by itself.
    Source: Cho et al. 2014; gru_layer.c. The C program goes on with the state of the forward
    before until it is told to forget, and its backward does nothing on the CPU. Here it is exact.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        normalize, tanh = section.get_flag("batch_normalize"), section.get_flag("tanh")
        output = self.out_shape.c
        self.update, self.reset, self.candidate = self.gates = tuple(
            Gate(self.in_shape, output, activation, normalize, self.rules)
            for activation in ("logistic", "logistic", "tanh" if tanh else "logistic")
        )

    def products(self) -> list[Dense]:
        from_state, from_input = (
            [gate.from_state for gate in self.gates],
            [gate.from_input for gate in self.gates],
        )
        return from_input + from_state if self.rules.is_alexeyab else from_state + from_input

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        steps = self.split_steps(x, ops)
        state = ops.zero_state(steps[0], self.out_shape.c)
        outputs, saved = [], []
        for step in steps:
            update, update_saved = self.update.forward(step, state, ops, train)
            reset, reset_saved = self.reset.forward(step, state, ops, train)
            masked = ops.multiply(reset, state)
            new, new_saved = self.candidate.forward(step, masked, ops, train)
            saved.append((state, update, reset, new, update_saved, reset_saved, new_saved))
            state = ops.blend(update, state, new)
            outputs.append(state)
        return ops.join_steps(outputs), saved

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        later, x_deltas = None, []  # `later`: the delta that later steps give the state
        deltas = ops.split_steps(delta, self.time_steps)
        for y_delta, step in zip(reversed(deltas), reversed(saved), strict=True):
            state, update, reset, new, update_saved, reset_saved, new_saved = step
            if later is not None:
                y_delta = ops.add(y_delta, later)
            update_delta, later, new_delta = ops.blend_backward(y_delta, update, state, new)
            x_delta, masked_delta = self.candidate.backward(new_delta, new_saved, ops, wanted)
            reset_delta = ops.multiply(masked_delta, state)
            later = ops.add(later, ops.multiply(masked_delta, reset))
            for gate, gate_delta, gate_saved in (
                (self.update, update_delta, update_saved),
                (self.reset, reset_delta, reset_saved),
            ):
                x_part, state_part = gate.backward(gate_delta, gate_saved, ops, wanted)
                later = ops.add(later, state_part)
                if wanted.input_deltas:
                    x_delta = ops.add(x_delta, x_part)
            x_deltas.append(x_delta)
        return [ops.join_steps(x_deltas[::-1]) if wanted.input_deltas else None]
