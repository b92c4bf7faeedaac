"""[reorg3d]: blocks of pixels moved into channels, and back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register


@register("reorg3d")
class Reorg3d(Layer):
    """Space to depth: pixel (dy, dx) of each block of stride x stride pixels of x gives channels
    (dy stride + dx) c to (dy stride + dx + 1) c of one pixel of y. With reverse, depth to space.

    Keys: stride (1), reverse (0).

    in (h, w, c) -> out (h / stride, w / stride, c stride^2), where stride divides h and w; with
    reverse (h stride, w stride, c / stride^2), where its square divides c.
    Source: AlexeyAB's reorg_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.stride = stride = section.get_int("stride", 1, minimum=1, maximum=1024)
        self.reverse = section.get_flag("reverse")
        h, w, c = self.in_shape
        if c % stride**2 if self.reverse else h % stride or w % stride:
            expected = "channels divisible by its square" if self.reverse else "width and height"
            section.fail(
                f"stride={stride} does not fit a {self.in_shape} input: expected {expected}"
                f"{'' if self.reverse else ' divisible by it'}",
                "stride",
            )
        self.out_shape = Shape(h // stride, w // stride, c * stride**2)
        if self.reverse:
            self.out_shape = Shape(h * stride, w * stride, c // stride**2)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return (ops.depth_to_space if self.reverse else ops.space_to_depth)(x, self.stride), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [(ops.space_to_depth if self.reverse else ops.depth_to_space)(delta, self.stride)]

    @property
    def input_window(self) -> Window:
        if self.reverse:
            return Window(1, Fraction(1, self.stride))
        return Window(self.stride, Fraction(self.stride))

    @property
    def title(self) -> str:
        return f"reorg              /{self.stride:2d}  "
