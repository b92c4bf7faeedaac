"""[reorg]: pixels moved into channels, in darknet's order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register


@register("reorg")
class Reorg(Layer):
    """The values of x at other places: see ops.reorg for which (not space-to-depth).

    Keys: stride (1), reverse (0); flatten and extra, other forms, are refused.

    in (h, w, c) -> out (h / stride, w / stride, c stride^2), with reverse (h stride, w stride,
    c / stride^2); stride divides h and w, its square c.
    Source: reorg_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.stride = stride = section.get_int("stride", 1, minimum=1, maximum=1024)
        self.reverse = section.get_flag("reverse")
        h, w, c = self.in_shape
        if c % stride**2 or (not self.reverse and (h % stride or w % stride)):
            section.fail(
                f"stride={stride} does not fit a {self.in_shape} input: expected channels "
                "divisible by its square, width and height by itself",
                "stride",
            )
        self.out_shape = Shape(h // stride, w // stride, c * stride**2)
        if self.reverse:
            self.out_shape = Shape(h * stride, w * stride, c // stride**2)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return (ops.reorg_reverse if self.reverse else ops.reorg)(x, self.stride), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        if self.reverse:
            return [ops.reorg_reverse_backward(delta, self.stride)]
        return [ops.reorg_backward(delta, self.stride)]

    @property
    def input_window(self) -> Window:
        """By its size alone, whatever the order of its values."""
        if self.reverse:
            return Window(1, Fraction(1, self.stride))
        return Window(self.stride, Fraction(self.stride))

    @property
    def title(self) -> str:
        return f"reorg              /{self.stride:2d}  "
