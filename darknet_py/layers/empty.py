"""[empty]: nothing, which other layers may count as a layer."""

from __future__ import annotations

from typing import Any

from darknet_py.layers.base import Array, Layer, Ops, Wanted, register


@register("empty", "silence")
class Empty(Layer):
    """y = x. No keys. in (h, w, c) -> out the same. [silence], in which Caffe's networks end, is
    another name of it. Source: AlexeyAB's parser.c.
    """

    def forward(self, x: Array, ops: Ops, train: bool) -> tuple[Array, Any]:
        return x, None

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        return [delta]

    def describe(self) -> str:
        return "empty"
