"""[logistic]: the sigmoid of each output; as the last layer, binary cross-entropy."""

from __future__ import annotations

from typing import Any

from darknet_py.layers.base import Array, Layer, Ops, Wanted, register


@register("logistic")
class Logistic(Layer):
    """y = 1 / (1 + exp(-x)). No keys. in (h, w, c) -> out the same.

    As a loss: sum(-truth log y - (1 - truth) log(1 - y)), whose delta at the *input* is truth - y.
    Elsewhere backward is the exact gradient, where the C program passes delta on.
    Source: logistic_layer.c.
    """

    is_loss = True

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        y = ops.activate(x, "logistic")
        return y, y

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.activate_backward(delta, saved, "logistic")]

    def loss(self, y: Array, truth: Array, ops: Ops) -> tuple[Array, Array]:
        truth = ops.smooth_truth(truth, self.smooth, 2)  # each output is a choice of two
        loss, delta = ops.logistic_cross_entropy(y, truth)
        return loss, delta

    def describe(self) -> str:
        return f"logistic x entropy                             {self.in_shape.size:4d}"
