"""[softmax]: logits to probabilities; as the last layer, cross-entropy in training."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, register


@register("softmax", "soft")
class Softmax(Layer):
    """y = exp(x / temperature) / sum(exp(x / temperature)), the sum within each group.

    Keys: groups (1: equal parts of the inputs in darknet's order), temperature (1), spatial (0; 1:
    over the channels of each pixel), noloss (0; 1: does not end a network in training).

    in (h, w, c) -> out (1, 1, c h w), or with spatial (h, w, c).

    As a loss: cross-entropy, sum(-truth log y), whose delta at the *input* is
    (truth - y) / temperature (the C program leaves the temperature out). Elsewhere backward is the
    exact gradient, where the C program passes delta on. Source: softmax_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.groups = section.get_int("groups", 1, minimum=1)
        spatial = section.get_flag("spatial")
        h, w, c = self.in_shape
        grouped = c if spatial else h * w * c
        if grouped % self.groups:
            section.fail(
                f"groups={self.groups}: expected a divisor of the {grouped} inputs", "groups"
            )
        self.temperature = section.get_float("temperature", 1, minimum=1e-6)
        self.is_loss = not section.get_flag("noloss")
        self.is_vector = not spatial
        self.flattens = self.is_vector and h * w > 1
        if self.is_vector:
            self.out_shape = Shape(1, 1, h * w * c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.softmax(ops.flatten_chw(x) if self.flattens else x, self.groups, self.temperature)
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [
            self._unflatten(ops.softmax_backward(delta, saved, self.groups, self.temperature), ops)
        ]

    def loss(self, y: Array, truth: Array, ops: Ops) -> tuple[Array, Array]:
        truth = ops.smooth_truth(truth, self.smooth, self.out_shape.size // self.groups)
        loss, delta = ops.softmax_cross_entropy(y, truth, self.temperature)
        return loss, self._unflatten(delta, ops)

    def _unflatten(self, delta: Array, ops: Ops) -> Array:
        if not self.flattens:
            return delta
        return ops.flatten_chw_backward(delta, (delta.shape[0], *self.in_shape))

    def describe(self) -> str:
        return f"softmax                                        {self.in_shape.size:4d}"
