"""A convolution as part of a layer: biases, optional batch norm, activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from darknet_py.cfg.rules import Rules
from darknet_py.layers.base import Array, Ops, Parameter, Shape, Wanted, activate, normal, zeros
from darknet_py.layers.parts.batch_normalize import BatchNormalize
from darknet_py.ops.sizes import conv_out


@dataclass(frozen=True)
class ConvWindow:
    """What the convolutions of a layer share."""

    size: int
    stride: int
    padding: int
    groups: int = 1


class Conv:
    """y = activation(weights * x + biases), * a convolution; with batch_normalize, of the
    normalised product.

    Learned, in `.weights` order: biases (filters,), of batch normalisation scales, rolling_mean,
    rolling_variance, and weights (filters, c / groups, size, size).
    """

    def __init__(
        self,
        in_shape: Shape,
        filters: int,
        window: ConvWindow,
        activation: str,
        batch_normalize: bool,
        rules: Rules,
    ) -> None:
        h, w, c = in_shape
        size, c = window.size, c // window.groups
        out_h, out_w = (conv_out(each, size, window.stride, window.padding) for each in (h, w))
        self.out_shape = Shape(out_h, out_w, filters)
        self.window, self.activation = window, activation
        self.biases = Parameter("biases", (filters,), zeros)
        self.weights = Parameter(
            "weights",
            (filters, size, size, c),
            normal(size * size * c),
            decay=True,
            file_shape=(filters, c, size, size),
            file_axes=(0, 3, 1, 2),
        )
        self.norm = BatchNormalize(filters, rules) if batch_normalize else None

    def parameters(self) -> list[Parameter]:
        """In the order of a `.weights` file."""
        return [self.biases, *(self.norm.parameters() if self.norm else []), self.weights]

    def operations(self) -> int:
        return 2 * self.weights.size * self.out_shape.h * self.out_shape.w

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        """The output, and what backward needs."""
        window = self.window
        y = ops.conv2d(x, self.weights.data, window.stride, window.padding, window.groups)
        norm_saved = None
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
        size, *window = self.window.size, self.window.stride, self.window.padding
        window.append(self.window.groups)
        if wanted.updates:
            ops.accumulate(self.biases.updates, bias_updates)
            updates = ops.conv2d_backward_weights(delta, x, size, *window)
            ops.accumulate(self.weights.updates, updates)
        if not wanted.input_deltas:
            return None
        return ops.conv2d_backward_input(delta, self.weights.data, x.shape, *window)
