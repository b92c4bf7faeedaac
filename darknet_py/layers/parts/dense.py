"""A dense layer: weights times a vector, plus biases, optional batch norm, activation."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.rules import Rules
from darknet_py.layers.base import Array, Ops, Parameter, Shape, Wanted, activate, uniform, zeros
from darknet_py.layers.parts.batch_normalize import BatchNormalize


class Dense:
    """y = activation(weights x + biases); with batch_normalize, of the normalised product.

    x is any map of in_shape, read as a vector. Learned, in `.weights` order: biases (outputs,),
    weights (outputs, inputs), and of batch normalisation scales, rolling_mean, rolling_variance.
    """

    def __init__(
        self,
        in_shape: Shape,
        outputs: int,
        activation: str,
        batch_normalize: bool,
        rules: Rules,
    ) -> None:
        inputs = in_shape.size
        h, w, c = in_shape
        self.activation = activation
        self.biases = Parameter("biases", (outputs,), zeros)
        self.weights = Parameter(
            "weights",
            (outputs, inputs),
            uniform(inputs),
            decay=True,
            file_shape=(outputs, c, h, w),
            file_axes=(0, 3, 1, 2),
        )
        self.norm = BatchNormalize(outputs, rules) if batch_normalize else None

    def parameters(self) -> list[Parameter]:
        """In the order of a `.weights` file."""
        return [self.biases, self.weights, *(self.norm.parameters() if self.norm else [])]

    def operations(self) -> int:
        return 2 * self.weights.size

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        """The output (n, 1, 1, outputs), and what backward needs."""
        y, norm_saved = ops.dense(x, self.weights.data), None
        if self.norm:
            y, norm_saved = self.norm.forward(y, self.biases.data, ops, train)
        else:
            y = ops.add_biases(y, self.biases.data)
        y, activated = activate(y, self.activation, ops)
        return y, (x, activated, norm_saved)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> Array:
        """The delta of x; None if it is not wanted."""
        x, activated, norm_saved = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        if self.norm:
            delta, scale_updates, bias_updates = self.norm.backward(delta, norm_saved, ops)
            if wanted.updates:
                ops.accumulate(self.norm.scales.updates, scale_updates)
        else:
            bias_updates = ops.biases_backward(delta)
        if wanted.updates:
            ops.accumulate(self.biases.updates, bias_updates)
            ops.accumulate(self.weights.updates, ops.dense_backward_weights(delta, x))
        if not wanted.input_deltas:
            return None
        return ops.dense_backward_input(delta, self.weights.data, x.shape)
