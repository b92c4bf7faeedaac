"""[reorg]: pixels moved into channels, in darknet's order."""

from __future__ import annotations

from fractions import Fraction
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
    register,
    table_shape,
)


@register("reorg")
class Reorg(Layer):
    """The values of x at other places: see ops.reorg for which (not space-to-depth).

    Keys: stride (1), reverse (0); flatten and extra, other forms, are refused.

    in (h, w, c) -> out (h / stride, w / stride, c stride^2), with reverse (h stride, w stride,
    c / stride^2); stride divides h and w, its square c.
    Source: reorg_layer.c.
    """

    def __init__(
        self, in_shape: Shape, inputs: tuple[int, ...], stride: int, reverse: bool
    ) -> None:
        h, w, c = in_shape
        out = Shape(h // stride, w // stride, c * stride**2)
        if reverse:
            out = Shape(h * stride, w * stride, c // stride**2)
        super().__init__(in_shape, out, inputs)
        self.stride, self.reverse = stride, reverse

    @classmethod
    def from_section(cls, section: Section, context: BuildContext) -> Reorg:
        stride = section.get_int("stride", 1, minimum=1, maximum=1024)
        reverse = section.get_flag("reverse")
        h, w, c = context.in_shape
        if c % stride**2 or (not reverse and (h % stride or w % stride)):
            section.fail(
                f"stride={stride} does not fit a {context.in_shape} input: expected channels "
                "divisible by its square, width and height by itself",
                "stride",
            )
        return cls(context.in_shape, (context.index - 1,), stride, reverse)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return (ops.reorg_reverse if self.reverse else ops.reorg)(x, self.stride), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        if self.reverse:
            return [ops.reorg_reverse_backward(delta, self.stride)]
        return [ops.reorg_backward(delta, self.stride)]

    @property
    def input_window(self) -> Window:
        """Of its size alone: where in its map a pixel's values come from is another matter."""
        if self.reverse:
            return Window(1, Fraction(1, self.stride))
        return Window(self.stride, Fraction(self.stride))

    def describe(self) -> str:
        shapes = f"{table_shape(self.in_shape)}   ->  {table_shape(self.out_shape)}"
        return f"reorg              /{self.stride:2d}  {shapes}"
