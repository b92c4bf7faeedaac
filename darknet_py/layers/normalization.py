"""[normalization]: local response normalisation, as in AlexNet."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, register


@register("normalization", "lrn")
class Normalization(Layer):
    """y = x / (kappa + alpha * s)^beta, s the sum of squares of the `size` channels around.

    Keys: size (5), alpha (.0001, not divided by size), beta (.75), kappa (1).
    in (h, w, c) -> out the same. Krizhevsky et al. 2012; normalization_layer.c, whose running sum
    forgets channel size // 2 and whose backward is approximate; here both are exact.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.settings = (
            section.get_int("size", 5, minimum=1),
            section.get_float("alpha", 1e-4, minimum=0),
            section.get_float("beta", 0.75),
            section.get_float("kappa", 1, minimum=1e-9),
        )

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.lrn(x, *self.settings), x

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.lrn_backward(delta, saved, *self.settings)]
