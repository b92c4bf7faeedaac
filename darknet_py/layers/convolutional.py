"""[convolutional]: a convolution, with groups, batch normalisation and activation."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
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
    table_window,
    zeros,
)
from darknet_py.layers.parts.batch_normalize import BatchNormalize
from darknet_py.ops.pooling import blur_outs, blur_padding
from darknet_py.ops.sizes import Stride, conv_outs, dilated, pair

_OWN = -1_000_000_000
"""share_index= where it is not given: the C program's number."""


@register("convolutional", "conv")
class Convolutional(Layer):
    """y = activation(weights * x + biases), `*` the cross-correlation.

    Keys: filters (1), size (1), stride (1), stride_x (stride) and stride_y (stride; less than 1 is
    that, too), pad (0; not 0: padding = size // 2), padding (0, at each side), dilation (1: pixels
    from a place of the window to the next; with size=1 it does nothing), groups (1),
    batch_normalize (0), activation (logistic), antialiasing (0), share_index (none), xnor (0),
    binary (0).

    in (h, w, c) -> out (h', w', filters), h' = (h + 2 padding - size) / stride + 1, rounded towards
    0 before 1 is added: a window larger than its map by less than a stride is padded with zeros.
    With dilation size is the reach of the window, dilation (size - 1) + 1, and padding is dilation
    times what the keys say. With antialiasing (Zhang 2019) all this has stride 1, and after the
    activation each channel is blurred at the strides: with [1 2 1] x [1 2 1] / 16 in a frame of
    zeros, where it is 2 with the mean of 2 x 2, without a frame.

    Learned, in `.weights` order: biases (filters,), [scales, rolling_mean, rolling_variance,]
    weights (filters, c / groups, size, size), here (filters, size, size, c / groups). With
    share_index, the number of an earlier [convolutional] (less than 0: counted back from this one),
    that layer's are used and learned, and a file has none for this one. Size, filters, channels,
    groups and batch_normalize must be the same; how it learns is that layer's affair.
    With xnor (XNOR-Net, Rastegari et al. 2016) weights are mean(|w|) of their filter with the sign
    of w, and x is 1 or -1, zeros around it; with binary the weights alone are. Learning goes
    straight through (STE), to the weights of the file: backward uses x and, with xnor, the weights
    before binarization, as the C program does on a CPU. (There it does nothing with binary; on a
    GPU it has the gradient for x of what it computed, which is followed here.)

    Source: convolutional_layer.c, whose size-1 convolution ignores stride and padding, and in
    AlexeyAB's program a dilated one pad=0; not here.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        h, w, c = self.in_shape
        filters = section.get_int("filters", 1, minimum=1)
        self.size = size = section.get_int("size", 1, minimum=1)
        strides = _read_strides(section)
        self.padding = section.get_int("padding", 0, minimum=0)
        if section.get_flag("pad", meaning=f"padding={size // 2}, size // 2"):
            self.padding = size // 2
        self.dilation = _read_dilation(section, context, size)
        self.padding *= self.dilation
        antialiasing = section.get_int("antialiasing", 0)
        self.blur = None if not antialiasing else (2 if antialiasing == 2 else 3, strides)
        """Size of the blur, and its strides."""
        self.stride: Stride = 1 if self.blur else strides
        self.groups = groups = section.get_int("groups", 1, minimum=1)
        for what, count in (("filters", filters), ("input channels", c)):
            if count % groups:
                section.fail(f"groups={groups}: expected a divisor of the {count} {what}", "groups")
        normalize = section.get_flag("batch_normalize")
        self.norm = BatchNormalize(filters, context.rules) if normalize else None
        self.activation = read_activation(section, "logistic")
        self.xnor = section.get_flag("xnor")
        self.binary = section.get_flag("binary") and not self.xnor
        self.conv_outs = conv_outs(h, w, size, self.stride, self.padding, self.dilation)
        """Height and width of the convolution's output, before any blur."""
        if min(self.conv_outs) > 0 and self.blur:
            self.out_shape = Shape(*blur_outs(*self.conv_outs, *self.blur), filters)
        else:
            self.out_shape = Shape(*self.conv_outs, filters)
        least = dilated(size, self.dilation) - 2 * self.padding
        self.room = max(h, least), max(w, least)
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
        self._share(section, context)

    def _share(self, section: Section, context: BuildContext) -> None:
        """Takes the parameters of the layer that share_index names."""
        number = section.get_int("share_index", _OWN)
        if number == _OWN:
            return
        index = context.resolve(section, "share_index", number)
        other = context.layers[index]
        asked = f"share_index={number}: layer {index}"
        if not isinstance(other, Convolutional):
            section.fail(f"{asked} is [{other.kind}]: expected [convolutional]", "share_index")
        for what, theirs, own in (
            ("filters", other.out_shape.c, self.out_shape.c),
            ("size", other.size, self.size),
            ("input channels", other.in_shape.c, self.in_shape.c),
            ("groups", other.groups, self.groups),
            ("batch_normalize", int(other.norm is not None), int(self.norm is not None)),
        ):
            if theirs != own:
                section.fail(f"{asked} has {what} {theirs}: expected {own}, as here", "share_index")
        self.shares = other
        self.biases, self.norm, self.weights = other.biases, other.norm, other.weights

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        weights = self.weights.data
        if self.xnor or self.binary:
            weights = ops.binarize_weights(weights)
        binary = ops.binarize(x) if self.xnor else x
        if self.overhangs:
            x, binary = ops.pad_to(x, *self.room), ops.pad_to(binary, *self.room)
        y = ops.conv2d(binary, weights, *self.window)
        norm_saved = None
        if self.norm:
            y, norm_saved = self.norm.forward(y, self.biases.data, ops, train)
        else:
            y = ops.add_biases(y, self.biases.data)
        y, activated = activate(y, self.activation, ops)
        saved = x, self.weights.data if self.xnor else weights, activated, norm_saved
        return ops.blur(y, *self.blur) if self.blur else y, saved

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, weights, activated, norm_saved = saved
        if self.blur:
            delta = ops.blur_backward(delta, activated.shape, *self.blur)
        delta = ops.activate_backward(delta, activated, self.activation)
        if self.norm:
            delta, scale_updates, bias_updates = self.norm.backward(delta, norm_saved, ops)
        elif wanted.updates:
            bias_updates = ops.biases_backward(delta)
        if wanted.updates:
            if self.norm:
                ops.accumulate(self.norm.scales.updates, scale_updates)
            ops.accumulate(self.biases.updates, bias_updates)
            weight_updates = ops.conv2d_backward_weights(delta, x, self.size, *self.window)
            ops.accumulate(self.weights.updates, weight_updates)
        if not wanted.input_deltas:
            return [None]
        x_delta = ops.conv2d_backward_input(delta, weights, x.shape, *self.window)
        if self.overhangs:
            x_delta = ops.pad_to_backward(x_delta, (x.shape[0], *self.in_shape))
        return [x_delta]

    @property
    def window(self) -> tuple[Stride, int, int, int]:
        """As ops take it."""
        return self.stride, self.padding, self.groups, self.dilation

    @property
    def strides(self) -> tuple[int, int]:
        """From an output to the next, down and to the right, with the blur's."""
        return pair(self.blur[1] if self.blur else self.stride)

    @property
    def input_window(self) -> Window:
        size, before = self.blur[0] if self.blur else 1, 0
        if self.blur:
            before = blur_padding(size)
        reach = dilated(self.size, self.dilation) + size - 1
        # one number for both sides: a multiple of both
        return Window(reach, Fraction(lcm(*self.strides)), self.padding + before)

    @property
    def is_pointwise(self) -> bool:
        window = (self.size, self.stride, self.padding)
        is_linear = self.activation == "linear" and not self.norm and not self.xnor
        return window == (1, 1, 0) and is_linear and not self.blur

    def parameters(self) -> list[Parameter]:
        if self.shares is not None:
            return []
        return [self.biases, *(self.norm.parameters() if self.norm else []), self.weights]

    def operations(self) -> int:
        out_h, out_w = self.conv_outs
        return 2 * self.weights.size * out_h * out_w

    @property
    def title(self) -> str:
        name = "convS" if self.shares is not None else "conv"
        window = table_window(self.size, self.strides, self.dilation)
        return f"{name:<6}{self.out_shape.c:5d} {window}"


def _read_strides(section: Section) -> Stride:
    """stride_x, stride_y, or stride for what is less than 1: a number where both are the same."""
    stride = section.get_int("stride", 1, minimum=1)
    right, down = (section.get_int(key, -1) for key in ("stride_x", "stride_y"))
    right, down = (stride if each < 1 else each for each in (right, down))
    return down if down == right else (down, right)


def _read_dilation(section: Section, context: BuildContext, size: int) -> int:
    if size == 1:
        section.skip(["dilation"])
        return 1
    # at most the larger side: beyond it there is nothing of the map
    h, w, _ = context.cfg_in_shape
    return section.get_int("dilation", 1, minimum=1, maximum=max(h, w))
