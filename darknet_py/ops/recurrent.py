"""Sequences: rows as steps in time, and the blend of a gate.

A map of steps * batch rows holds `batch` sequences, time the slower index: rows t * batch to
(t + 1) * batch are step t of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.ops.array_types import Array


def split_steps(x: Array, steps: int) -> list[Array]:
    """x (steps * batch, h, w, c) as its steps (batch, h, w, c), which share its memory."""
    batch = x.shape[0] // steps
    return [x[t * batch : (t + 1) * batch] for t in range(steps)]


def join_steps(steps: Sequence[Array]) -> Array:
    """Steps (batch, h, w, c), the first in time first, as one map (steps * batch, h, w, c)."""
    return np.concatenate(steps, axis=0)


def zero_state(step: Array, outputs: int) -> Array:
    """The state before the first step: zeros (batch, 1, 1, outputs)."""
    return np.zeros_like(step, shape=(step.shape[0], 1, 1, outputs))


def zero_map(x: Array) -> Array:
    """Zeros in the shape of x: a state before the first step."""
    return np.zeros_like(x)


def blend_backward(delta: Array, gate: Array, yes: Array, no: Array) -> tuple[Array, Array, Array]:
    """Deltas of gate, yes and no, where `blend` gave gate yes + (1 - gate) no."""
    return delta * (yes - no), delta * gate, delta * (1 - gate)
