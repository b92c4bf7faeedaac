"""[dropout]: in training, some inputs set to 0 at random."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, register


@register("dropout")
class Dropout(Layer):
    """y = x / (1 - probability), or 0 with this probability; in inference y = x.

    Keys: probability (.5); dropblock and its sizes, which AlexeyAB's program follows on a GPU
    alone, change nothing. in (h, w, c) -> out the same.
    Source: Srivastava et al. 2014; dropout_layer.c.
    """

    counters = ("draws",)

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.probability = section.get_float(
            "probability", 0.5, minimum=0, maximum=0.999, training=True
        )
        self.is_random = self.probability > 0

    def forward(
        self, x: Array, ops: Ops, train: bool, key: Array | None = None
    ) -> tuple[Array, Any]:
        if key is None:
            return x, None
        return ops.dropout(x, self.probability, key), key

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [delta if saved is None else ops.dropout(delta, self.probability, saved)]

    def describe(self) -> str:
        size = self.in_shape.size
        return f"dropout       p = {self.probability:.2f}               {size:4d}  ->  {size:4d}"
