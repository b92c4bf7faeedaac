"""The arithmetic of windows that slide over a map, in one place."""

from __future__ import annotations


def conv_out(length: int, size: int, stride: int, padding: int) -> int:
    """How many positions a window of `size` takes, with `padding` zeros at each side.

    0 or less where there is none. A window that is larger than all of this, by less than a stride,
    has one, as the C program's division goes towards 0: see `pad_to` in reshape.py.
    """
    return _positions(length + 2 * padding - size, stride)


def maxpool_out(length: int, size: int, stride: int, padding: int) -> int:
    """The same for a maxpool window; `padding` is the total of both sides.

    The first window begins at `-(padding // 2)` (darknet's maxpool_layer.c).
    """
    return _positions(length + padding - size, stride)


def _positions(spare: int, stride: int) -> int:
    return (spare // stride if spare >= 0 else -(-spare // stride)) + 1
