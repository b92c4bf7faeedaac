"""[batchnorm]: batch normalisation as a layer of its own."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Wanted,
    register,
    zeros,
)
from darknet_py.layers.parts.batch_normalize import BatchNormalize


@register("batchnorm")
class Batchnorm(Layer):
    """y = (x - mean) / (sqrt(variance) + 1e-6) * scales: see parts/batch_normalize.py. No keys.

    in (h, w, c) -> out the same. Learned, in `.weights` order: scales (c,), and kept rolling_mean
    (c,), rolling_variance (c,). By AlexeyAB's rules biases (c,), which are added, come first; else
    there are none: the file has no place for them.
    Source: batchnorm_layer.c of both programs (pjreddie's does not train its scales).
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.rules = context.rules
        self.norm = BatchNormalize(self.in_shape.c, context.rules)
        self.biases = Parameter("biases", (self.in_shape.c,), zeros)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        biases = self.biases.data if self.rules.is_alexeyab else None
        return self.norm.forward(x, biases, ops, train)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x_delta, scale_updates, bias_updates = self.norm.backward(delta, saved, ops)
        if wanted.updates:
            if self.rules.is_alexeyab:
                ops.accumulate(self.biases.updates, bias_updates)
            ops.accumulate(self.norm.scales.updates, scale_updates)
        return [x_delta]

    def parameters(self) -> list[Parameter]:
        return [*[self.biases] * self.rules.is_alexeyab, *self.norm.parameters()]
