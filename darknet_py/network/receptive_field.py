"""Receptive fields of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from darknet_py.layers import Layer


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of a layer's output pixel in the picture.

    jump: pixels of the picture from one output pixel to the next. side: pixels of the field to each
    side. step: a picture shifted by a multiple of it shifts all maps by whole pixels.
    """

    jump: int
    side: int
    step: int


def receptive_field(layers: Sequence[Layer], last: int) -> ReceptiveField:
    """Of layer `last`, as the windows of convolutions and pooling add up."""
    return receptive_fields(layers[: last + 1])[last]


def receptive_fields(layers: Sequence[Layer]) -> list[ReceptiveField]:
    """Of every layer."""
    jumps, sides = {-1: Fraction(1)}, {-1: Fraction(0)}
    found, step = [], 1
    for index, layer in enumerate(layers):
        size, stride, before = layer.input_window
        jump = max(jumps[i] for i in layer.inputs)
        widest = max(before, size - 1 - before) + max(1 - stride, Fraction(0))  # in a block
        jumps[index] = jump * stride
        sides[index] = max(sides[i] for i in layer.inputs) + widest * jump
        step = math.lcm(step, math.ceil(jumps[index]))
        found.append(ReceptiveField(math.ceil(jumps[index]), math.ceil(sides[index]), step))
    return found
