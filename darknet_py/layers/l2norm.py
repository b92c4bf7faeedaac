"""[l2norm]: each pixel's channels scaled to length 1."""

from __future__ import annotations

from typing import Any

from darknet_py.layers.base import Array, Layer, Ops, Wanted, register


@register("l2norm")
class L2norm(Layer):
    """y = x / |x|, |x| the Euclidean length over a pixel's channels; a zero pixel stays zero.

    No keys. in (h, w, c) -> out the same. Source: l2norm_layer.c, which passes delta on;
    here the gradient is exact.
    """

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return ops.l2norm(x), x

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [ops.l2norm_backward(delta, saved)]

    def describe(self) -> str:
        return f"l2norm                                         {self.in_shape.size:4d}"
