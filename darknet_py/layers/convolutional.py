"""[convolutional]: a convolution, with groups, batch normalisation and activation."""

from __future__ import annotations

from fractions import Fraction
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
    Window,
    activate,
    normal,
    read_activation,
    register,
    zeros,
)
from darknet_py.layers.parts.batch_normalize import BatchNormalize
from darknet_py.ops.sizes import conv_out


@register("convolutional", "conv")
class Convolutional(Layer):
    """y = activation(weights * x + biases), `*` the cross-correlation.

    Keys: filters (1), size (1), stride (1), pad (0; not 0: padding = size // 2), padding (0, at
    each side), groups (1), batch_normalize (0), activation (logistic), xnor (0), binary (0).

    in (h, w, c) -> out (h', w', filters), h' = (h + 2 padding - size) / stride + 1, rounded towards
    0 before 1 is added: a window larger than its map by less than a stride is padded with zeros.

    Learned, in `.weights` order: biases (filters,), [scales, rolling_mean, rolling_variance,]
    weights (filters, c / groups, size, size), here (filters, size, size, c / groups).
    With xnor (XNOR-Net, Rastegari et al. 2016) weights are mean(|w|) of their filter with the sign
    of w, and x is 1 or -1, zeros around it; with binary the weights alone are. Learning goes
    straight through (STE), to the weights of the file: backward uses x and, with xnor, the weights
    before binarization, as the C program does on a CPU. (There it does nothing with binary; on a
    GPU it has the gradient for x of what it computed, which is followed here.)

    Source: convolutional_layer.c, whose size-1 convolution ignores stride and padding; not here.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        h, w, c = self.in_shape
        filters = section.get_int("filters", 1, minimum=1)
        self.size = size = section.get_int("size", 1, minimum=1)
        self.stride = section.get_int("stride", 1, minimum=1)
        self.padding = section.get_int("padding", 0, minimum=0)
        if section.get_flag("pad", meaning=f"padding={size // 2}, size // 2"):
            self.padding = size // 2
        self.groups = groups = section.get_int("groups", 1, minimum=1)
        for what, count in (("filters", filters), ("input channels", c)):
            if count % groups:
                section.fail(f"groups={groups}: expected a divisor of the {count} {what}", "groups")
        self.norm = BatchNormalize(filters) if section.get_flag("batch_normalize") else None
        self.activation = read_activation(section, "logistic")
        self.xnor = section.get_flag("xnor")
        self.binary = section.get_flag("binary") and not self.xnor
        out_h, out_w = (conv_out(length, size, self.stride, self.padding) for length in (h, w))
        self.out_shape = Shape(out_h, out_w, filters)
        self.room = max(h, size - 2 * self.padding), max(w, size - 2 * self.padding)
        """Height and width that a window needs."""
        self.overhangs = self.room != (h, w)
        self.biases = Parameter("biases", (filters,), zeros)
        self.weights = Parameter(
            "weights",
            (filters, size, size, c // groups),
            normal(size * size * (c // groups)),
            decay=True,
            file_shape=(filters, c // groups, size, size),
            file_axes=(0, 3, 1, 2),
        )

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        weights = self.weights.data
        if self.xnor or self.binary:
            weights = ops.binarize_weights(weights)
        binary = ops.binarize(x) if self.xnor else x
        if self.overhangs:
            x, binary = ops.pad_to(x, *self.room), ops.pad_to(binary, *self.room)
        y = ops.conv2d(binary, weights, self.stride, self.padding, self.groups)
        norm_saved = None
        if self.norm:
            y, norm_saved = self.norm.forward(y, self.biases.data, ops, train)
        else:
            y = ops.add_biases(y, self.biases.data)
        y, activated = activate(y, self.activation, ops)
        return y, (x, self.weights.data if self.xnor else weights, activated, norm_saved)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, weights, activated, norm_saved = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        if self.norm:
            delta, scale_updates, bias_updates = self.norm.backward(delta, norm_saved, ops)
        elif wanted.updates:
            bias_updates = ops.biases_backward(delta)
        window = self.stride, self.padding, self.groups
        if wanted.updates:
            if self.norm:
                ops.accumulate(self.norm.scales.updates, scale_updates)
            ops.accumulate(self.biases.updates, bias_updates)
            weight_updates = ops.conv2d_backward_weights(delta, x, self.size, *window)
            ops.accumulate(self.weights.updates, weight_updates)
        if not wanted.input_deltas:
            return [None]
        x_delta = ops.conv2d_backward_input(delta, weights, x.shape, *window)
        if self.overhangs:
            x_delta = ops.pad_to_backward(x_delta, (x.shape[0], *self.in_shape))
        return [x_delta]

    @property
    def input_window(self) -> Window:
        return Window(self.size, Fraction(self.stride), self.padding)

    @property
    def is_pointwise(self) -> bool:
        window = (self.size, self.stride, self.padding)
        is_linear = self.activation == "linear" and not self.norm and not self.xnor
        return window == (1, 1, 0) and is_linear

    def parameters(self) -> list[Parameter]:
        return [self.biases, *(self.norm.parameters() if self.norm else []), self.weights]

    def operations(self) -> int:
        return 2 * self.weights.size * self.out_shape.h * self.out_shape.w

    @property
    def title(self) -> str:
        return f"conv  {self.out_shape.c:5d} {self.size:2d} x{self.size:2d} /{self.stride:2d}  "
