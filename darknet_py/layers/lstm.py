"""[lstm]: long short-term memory."""

from __future__ import annotations

from functools import reduce
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Ops, Wanted, register
from darknet_py.layers.parts.dense import Dense
from darknet_py.layers.parts.recurrent import Gate, Recurrent


@register("lstm")
class Lstm(Recurrent):
    """For each step x of a sequence, * element by element, every product with its biases:

    i = logistic(wi state + ui x), f = logistic(wf state + uf x), o = logistic(wo state + uo x),
    g = tanh(wg state + ug x); cell' = f * cell + i * g; y = state' = o * tanh(cell').

    Keys: output (1), batch_normalize (0); the sequences have the time_steps of [net].

    in (h, w, c) -> out (1, 1, output). The rows are time_steps * batch, time the slower index.
    State and cell are 0 before the first step of every forward.

    Learned, in `.weights` order: those of wi, wf, wo, wg, ui, uf, uo, ug, by AlexeyAB's rules wf,
    wi, wg, wo, uf, ui, ug, uo; see parts/dense.py. In training batch_normalize takes mean and
    variance of each step by itself.
    Source: Hochreiter, Schmidhuber 1997, with the forget gate of Gers et al. 2000; lstm_layer.c.
    The C program goes on with state and cell of the forward before until it is told to forget.
    On a CPU it cannot train this layer, and its backward is not the gradient: the first step
    takes its own output and cell for those before it, the last one adds the cell's delta of the
    batch before, and all steps are normalised by the last one's statistics. Here it is exact.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        normalize = section.get_flag("batch_normalize")
        # In `.weights` order: i, f, o, g.
        self.gates = [
            Gate(self.in_shape, self.out_shape.c, activation, normalize, self.rules)
            for activation in ("logistic", "logistic", "logistic", "tanh")
        ]

    def products(self) -> list[Dense]:
        write, keep, read, new = self.gates
        gates = (keep, write, new, read) if self.rules.is_alexeyab else self.gates
        return [*(gate.from_state for gate in gates), *(gate.from_input for gate in gates)]

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        steps = self.split_steps(x, ops)
        state = cell = ops.zero_state(steps[0], self.out_shape.c)
        outputs, saved = [], []
        for step in steps:
            results = [gate.forward(step, state, ops, train) for gate in self.gates]
            write, keep, read, new = values = [value for value, _ in results]
            before = cell
            cell = ops.add(ops.multiply(keep, cell), ops.multiply(write, new))
            shown = ops.activate(cell, "tanh")
            state = ops.multiply(read, shown)
            outputs.append(state)
            saved.append((before, shown, values, [needed for _, needed in results]))
        return ops.join_steps(outputs), saved

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        later = later_cell = None  # the deltas that later steps give state and cell
        x_deltas = []
        deltas = ops.split_steps(delta, self.time_steps)
        for y_delta, step in zip(reversed(deltas), reversed(saved), strict=True):
            before, shown, (write, keep, read, new), gates_saved = step
            if later is not None:
                y_delta = ops.add(y_delta, later)
            cell_delta = ops.activate_backward(ops.multiply(y_delta, read), shown, "tanh")
            if later_cell is not None:
                cell_delta = ops.add(cell_delta, later_cell)
            later_cell = ops.multiply(cell_delta, keep)
            gate_deltas = (
                ops.multiply(cell_delta, new),
                ops.multiply(cell_delta, before),
                ops.multiply(y_delta, shown),
                ops.multiply(cell_delta, write),
            )
            parts = [
                gate.backward(gate_delta, gate_saved, ops, wanted)
                for gate, gate_delta, gate_saved in zip(
                    self.gates, gate_deltas, gates_saved, strict=True
                )
            ]
            later = reduce(ops.add, [state_part for _, state_part in parts])
            if wanted.input_deltas:
                x_deltas.append(reduce(ops.add, [x_part for x_part, _ in parts]))
        return [ops.join_steps(x_deltas[::-1]) if wanted.input_deltas else None]
