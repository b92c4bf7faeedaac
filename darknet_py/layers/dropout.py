"""[dropout]: in training, some inputs left out at random."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, register


@register("dropout")
class Dropout(Layer):
    """y = x / (1 - probability), or 0 with this probability; in inference y = x.

    Keys: probability (.5). in (h, w, c) -> out the same.

    The mask depends on the network's seed, the layer and the number of masks drawn before, so
    that a training run repeats bit for bit. Srivastava et al. 2014; dropout_layer.c.
    """

    counters = ("draws",)

    def __init__(
        self, in_shape: Shape, inputs: tuple[int, ...], probability: float, seed: int
    ) -> None:
        super().__init__(in_shape, in_shape, inputs)
        self.probability = probability
        self.seed = seed
        self.draws = 0

    @classmethod
    def from_section(cls, section: Section, context: BuildContext) -> Dropout:
        probability = section.get_float("probability", 0.5, minimum=0, maximum=0.999, training=True)
        return cls(
            context.in_shape, (context.index - 1,), probability, context.seed + context.index
        )

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        if not train or self.probability == 0:
            return x, None
        mask = ops.dropout_mask(x, self.probability, self.seed, self.draws)
        self.draws += 1
        return ops.multiply(x, mask), mask

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [delta if saved is None else ops.multiply(delta, saved)]

    def describe(self) -> str:
        size = self.in_shape.size
        return f"dropout       p = {self.probability:.2f}               {size:4d}  ->  {size:4d}"
