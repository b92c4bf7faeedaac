"""[upsample]: nearest-neighbour upsampling; with a negative stride, sum pooling."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register


@register("upsample")
class Upsample(Layer):
    """y = scale x for every pixel of a stride x stride block; stride < 0: scale times its sum.

    Keys: stride (2), scale (1). in (h, w, c) -> out (h stride, w stride, c), or with a negative
    stride (h / |stride|, w / |stride|, c), which must divide h and w. Source: upsample_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        stride = section.get_int("stride", 2, minimum=-1024, maximum=1024)
        h, w, c = self.in_shape
        if stride == 0 or (stride < 0 and (h % stride or w % stride)):
            message = f"stride={stride}: expected a divisor of {w} and {h}, or above 0"
            section.fail(message, "stride")
        self.scale = section.get_float("scale", 1)
        self.reverse, self.stride = stride < 0, abs(stride)
        self.out_shape = Shape(h * stride, w * stride, c)
        if self.reverse:
            self.out_shape = Shape(h // -stride, w // -stride, c)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        resize = ops.upsample_backward if self.reverse else ops.upsample
        return resize(x, self.stride, self.scale), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        resize = ops.upsample if self.reverse else ops.upsample_backward
        return [resize(delta, self.stride, self.scale)]

    @property
    def input_window(self) -> Window:
        if self.reverse:
            return Window(self.stride, Fraction(self.stride))
        return Window(1, Fraction(1, self.stride))

    @property
    def title(self) -> str:
        return f"{'downsample' if self.reverse else 'upsample':<19}{self.stride:2d}x  "
