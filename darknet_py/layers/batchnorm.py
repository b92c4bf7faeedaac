"""[batchnorm]: batch normalisation as a layer of its own."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Parameter, Wanted, register
from darknet_py.layers.parts.batch_normalize import BatchNormalize


@register("batchnorm")
class Batchnorm(Layer):
    """y = (x - mean) / (sqrt(variance) + 1e-6) * scales: see parts/batch_normalize.py. No keys.

    in (h, w, c) -> out the same. Learned, in `.weights` order: scales (c,), and kept rolling_mean
    (c,), rolling_variance (c,). There are no biases: the file has no place for them.
    Source: batchnorm_layer.c (which does not train its scales).
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.norm = BatchNormalize(self.in_shape.c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return self.norm.forward(x, None, ops, train)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x_delta, scale_updates, _ = self.norm.backward(delta, saved, ops)
        if wanted.updates:
            ops.accumulate(self.norm.scales.updates, scale_updates)
        return [x_delta]

    def parameters(self) -> list[Parameter]:
        return self.norm.parameters()
