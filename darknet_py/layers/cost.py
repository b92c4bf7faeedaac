"""[cost]: the loss between prediction and truth."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Wanted, register

_ERRORS = {
    "sse": "squared_error",
    "L1": "absolute_error",
    "smooth": "smooth_error",
    "masked": "masked_squared_error",
}
_UNCOMPUTED = ("seg", "wgan")
"""Of the C program, for training networks that are no classifiers."""


@register("cost")
class Cost(Layer):
    """The identity; in training its loss and delta are those of ops/losses.py.

    Keys: type (sse; L1, smooth, masked: truths of -1234 are unknown), scale (1: of the delta).

    in (h, w, c) -> out the same. After a [softmax] or [logistic] the delta at *that* layer's input
    is its own, truth - y, once; this layer then only gives the loss. Source: cost_layer.c.
    """

    is_loss = True

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.is_vector = self.in_shape.h * self.in_shape.w == 1
        self.error = section.get_text("type", "sse")
        if self.error in _UNCOMPUTED:
            expected = f"expected one of {', '.join(_ERRORS)}"
            section.fail_in_training(f"type={self.error} is not computed here: {expected}", "type")
            self.error = "sse"
        else:
            self.error = section.get_choice("type", "sse", _ERRORS, fallback="sse")
        self.scale = section.get_float("scale", 1, training=True)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return x, None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [delta]

    def loss(self, y: Array, truth: Array, ops: Ops) -> tuple[Array, Array]:
        truth = ops.smooth_truth(truth, self.smooth, self.out_shape.size)
        loss, delta = getattr(ops, _ERRORS[self.error])(y, truth)
        return loss, self.scale * delta

    def describe(self) -> str:
        return f"cost                                           {self.in_shape.size:4d}"
