"""[reorg]: pixels moved into channels, in darknet's order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register


@register("reorg")
class Reorg(Layer):
    """The values of x at other places: see ops.reorg for which (not space-to-depth).

    With flatten=1: the values in the order (h, w, c), read as if they were a map in the order (c,
    h, w), with reverse the other way round. With extra: x as a vector, in the order (c, h, w), and
    so many zeros after it.

    Keys: stride (1), reverse (0), flatten (0), extra (0).

    in (h, w, c) -> out (h / stride, w / stride, c stride^2), with reverse (h stride, w stride,
    c / stride^2); stride divides h and w, its square c. With extra: out (1, 1, h w c + extra).
    Source: pjreddie's reorg_layer.c.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        self.stride = stride = section.get_int("stride", 1, minimum=1, maximum=1024)
        self.reverse = section.get_flag("reverse")
        self.flatten = section.get_flag("flatten")
        self.extra = section.get_int("extra", 0, minimum=0)
        if self.extra:
            if self.flatten:
                section.fail("extra and flatten: expected one of them", "flatten")
            self.is_vector = True
            self.out_shape = Shape(1, 1, self.in_shape.size + self.extra)
            return
        h, w, c = self.in_shape
        needs_square = self.reverse or not self.flatten
        if (needs_square and c % stride**2) or (not self.reverse and (h % stride or w % stride)):
            section.fail(
                f"stride={stride} does not fit a {self.in_shape} input: expected channels "
                "divisible by its square, width and height by itself",
                "stride",
            )
        self.out_shape = Shape(h // stride, w // stride, c * stride**2)
        if self.reverse:
            self.out_shape = Shape(h * stride, w * stride, c // stride**2)

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        if self.extra:
            return ops.pad_channels(ops.flatten_chw(x), self.extra), x.shape
        if self.flatten:
            return ops.reorg_flatten(x, self.stride, self.reverse), None
        return (ops.reorg_reverse if self.reverse else ops.reorg)(x, self.stride), None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        if self.extra:
            kept = ops.slice_channels(delta, 0, self.in_shape.size)
            return [ops.flatten_chw_backward(kept, saved)]
        if self.flatten:
            return [ops.reorg_flatten_backward(delta, self.stride, self.reverse)]
        if self.reverse:
            return [ops.reorg_reverse_backward(delta, self.stride)]
        return [ops.reorg_backward(delta, self.stride)]

    @property
    def input_window(self) -> Window:
        """By its size alone, whatever the order of its values."""
        if self.extra:
            return Window()
        if self.reverse:
            return Window(1, Fraction(1, self.stride))
        return Window(self.stride, Fraction(self.stride))

    @property
    def title(self) -> str:
        return f"reorg              /{self.stride:2d}  "

    def describe(self) -> str:
        if self.extra:
            return f"reorg              {self.in_shape.size:4d}   ->  {self.out_shape.size:4d}"
        return super().describe()
