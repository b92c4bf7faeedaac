"""[maxpool]: the largest value of each window."""

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
    Shape,
    Wanted,
    Window,
    read_pool,
    register,
    table_window,
)
from darknet_py.ops.pooling import blur_outs, blur_padding
from darknet_py.ops.sizes import Stride, maxpool_outs, pair


@register("maxpool", "max")
class Maxpool(Layer):
    """y = the largest x of each window, channel by channel.

    Keys: stride (1), stride_x (stride), stride_y (stride), size (stride), padding (size - 1: the
    total of both sides; at most 2 size - 2, so that every window has something of the map),
    antialiasing (0), maxpool_depth (0), out_channels (1).

    in (h, w, c) -> out (h', w', c), h' = (h + padding - size) / stride + 1, rounded towards 0
    before 1 is added: a window may be larger than the map by less than a stride. The first window
    begins at -(padding // 2); nothing outside the map ever wins. Backward, a window's delta goes
    to its first largest value.

    With antialiasing (Zhang 2019) windows have stride 1, and then each channel is blurred at the
    strides: with [1 2 1] x [1 2 1] / 16 in a frame of zeros, where it is 2 with the mean of 2 x 2,
    without a frame. With maxpool_depth=1 the output is (h, w, out_channels), its channel g the
    largest of channels g, g + out_channels, ... of the same pixel; of the other keys none counts.
    Source: maxpool_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        h, w, c = self.in_shape
        self.window = size, stride, padding = read_pool(section)
        self.strides = pair(stride)
        """From an output to the next, down and to the right."""
        self.blur: tuple[int, Stride] | None = None
        """Its size and strides."""
        self.depth = 0
        """Channels of the output, where they are the largest of channels."""
        antialiasing = section.get_int("antialiasing", 0)
        if section.get_flag("maxpool_depth"):
            self.depth = section.get_int("out_channels", 1, minimum=1, maximum=c)
            self.out_shape = Shape(h, w, self.depth)
            return
        section.skip(["out_channels"])
        if antialiasing:
            self.blur = 2 if antialiasing == 2 else 3, stride
            self.window = size, 1, padding
        outs = maxpool_outs(h, w, *self.window)
        if self.blur and min(outs) > 0:
            outs = blur_outs(*outs, *self.blur)
        self.out_shape = Shape(*outs, c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        if self.depth:
            return ops.maxpool_depth(x, self.depth), (x, None)
        y = ops.maxpool(x, *self.window)
        return ops.blur(y, *self.blur) if self.blur else y, (x, y.shape)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        x, shape = saved
        if self.depth:
            return [ops.maxpool_depth_backward(delta, x, self.depth)]
        if self.blur:
            delta = ops.blur_backward(delta, shape, *self.blur)
        return [ops.maxpool_backward(delta, x, *self.window)]

    @property
    def input_window(self) -> Window:
        if self.depth:
            return Window()
        size, _, padding = self.window
        before = padding // 2
        if self.blur:
            size, before = size + self.blur[0] - 1, before + blur_padding(self.blur[0])
        # one number for both sides: a multiple of both
        return Window(size, Fraction(lcm(*self.strides)), before)

    @property
    def title(self) -> str:
        name = "max-depth" if self.depth else "max"
        return f"{name:<12}{table_window(self.window[0], self.strides)}"
