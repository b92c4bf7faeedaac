"""The arithmetic of windows that slide over a map, in one place."""

from __future__ import annotations


def conv_out(length: int, size: int, stride: int, padding: int) -> int:
    """How many positions a window of `size` takes, with `padding` zeros at each side.

    0 or less where it does not fit at all.
    """
    return (length + 2 * padding - size) // stride + 1


def maxpool_out(length: int, size: int, stride: int, padding: int) -> int:
    """The same for a maxpool window; `padding` is the total of both sides.

    The first window begins at `-(padding // 2)` (darknet's maxpool_layer.c).
    """
    return (length + padding - size) // stride + 1
