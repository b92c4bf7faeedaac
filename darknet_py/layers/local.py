"""[local]: a convolution whose weights are not shared: each position has its own."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Shape,
    Wanted,
    activate,
    normal,
    read_activation,
    register,
    zeros,
)
from darknet_py.ops.sizes import conv_out


@register("local")
class Local(Layer):
    """y = activation(weights * x + biases), with weights and biases of their own at each position.

    Keys: filters (1), size (1), stride (1), pad (0; not 0: padding = size // 2), activation
    (logistic). in (h, w, c) -> out (h', w', filters), h' as of [convolutional].

    Learned, in `.weights` order: biases (filters, h', w'), weights (h', w', filters, c, size,
    size); here (h', w', filters) and (h', w', filters, size, size, c).
    Source: local_layer.c, which pads by one pixel whatever the size; equal for 3.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        h, w, c = self.in_shape
        self.size = size = section.get_int("size", 1, minimum=1)
        filters = section.get_int("filters", 1, minimum=1)
        stride = section.get_int("stride", 1, minimum=1)
        pad = section.get_flag("pad", meaning=f"padding={size // 2}, size // 2")
        padding = size // 2 if pad else 0
        self.activation = read_activation(section, "logistic")
        self.window = stride, padding
        out_h, out_w = (conv_out(length, size, stride, padding) for length in (h, w))
        self.out_shape = Shape(out_h, out_w, filters)
        self.room = max(h, size - 2 * padding), max(w, size - 2 * padding)
        """Height and width that a window needs."""
        self.overhangs = self.room != (h, w)
        self.biases = Parameter(
            "biases",
            (out_h, out_w, filters),
            zeros,
            file_shape=(filters, out_h, out_w),
            file_axes=(2, 0, 1),
        )
        self.weights = Parameter(
            "weights",
            (out_h, out_w, filters, size, size, c),
            normal(size * size * c),
            decay=True,
            file_shape=(out_h, out_w, filters, c, size, size),
            file_axes=(0, 1, 2, 5, 3, 4),
        )

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        if self.overhangs:
            x = ops.pad_to(x, *self.room)
        y = ops.local2d(x, self.weights.data, *self.window)
        y, activated = activate(ops.add_biases(y, self.biases.data), self.activation, ops)
        return y, (x, activated)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, activated = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        if wanted.updates:
            ops.accumulate(self.biases.updates, ops.local_biases_backward(delta))
            weight_updates = ops.local2d_backward_weights(delta, x, self.size, *self.window)
            ops.accumulate(self.weights.updates, weight_updates)
        if not wanted.input_deltas:
            return [None]
        x_delta = ops.local2d_backward_input(delta, self.weights.data, x.shape, *self.window)
        if self.overhangs:
            x_delta = ops.pad_to_backward(x_delta, (x.shape[0], *self.in_shape))
        return [x_delta]

    def parameters(self) -> list[Parameter]:
        return [self.biases, self.weights]

    def operations(self) -> int:
        return 2 * self.weights.size
