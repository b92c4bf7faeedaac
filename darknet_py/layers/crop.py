"""[crop]: a window of the picture, at random in training, the middle in inference."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Array, BuildContext, Layer, Ops, Shape, Wanted, Window, register


@register("crop")
class Crop(Layer):
    """y = 2 x - 1 of a window of x; with noadjust y = x.

    Keys: crop_height (1), crop_width (1), flip (0; 1: mirrored half of the time in training),
    noadjust (0). angle, saturation, exposure and shift have no effect: the C program has
    them on a GPU in training only, and [net] has keys for the same.

    in (h, w, c) -> out (crop_height, crop_width, c); where the network is resized the window
    grows with it by crop_height / h of the cfg. One window for a whole batch.
    Source: crop_layer.c.
    """

    counters = ("draws",)
    is_random = True

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        height = section.get_int("crop_height", 1, minimum=1)
        width = section.get_int("crop_width", 1, minimum=1)
        cfg_h, cfg_w, _ = context.cfg_in_shape
        if height > cfg_h or width > cfg_w:
            section.fail(f"{width} x {height} is more than the {context.cfg_in_shape} input has")
        h, w, c = self.in_shape
        if self.in_shape != context.cfg_in_shape:
            height, width = h * height // cfg_h, w * height // cfg_h
        self.out_shape = Shape(height, width, c)
        self.flip = section.get_flag("flip")
        self.scale = 1.0 if section.get_flag("noadjust") else 2.0

    def forward(
        self, x: Array, ops: Ops, train: bool, key: Array | None = None
    ) -> tuple[Array, Any]:
        h, w, _ = self.out_shape
        if key is not None:
            return ops.random_crop(x, h, w, self.flip, self.scale, key), (x.shape, key)
        return ops.crop(x, *self._middle, h, w, False, self.scale), (x.shape, None)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        shape, key = saved
        if key is not None:
            return [ops.random_crop_backward(delta, shape, self.flip, self.scale, key)]
        return [ops.crop_backward(delta, shape, *self._middle, False, self.scale)]

    @property
    def _middle(self) -> tuple[int, int]:
        """Top and left of the window."""
        (in_h, in_w, _), (h, w, _) = self.in_shape, self.out_shape
        return (in_h - h) // 2, (in_w - w) // 2

    @property
    def input_window(self) -> Window:
        spare = max(self.in_shape.h - self.out_shape.h, self.in_shape.w - self.out_shape.w)
        return Window(spare + 1, before=spare // 2)
