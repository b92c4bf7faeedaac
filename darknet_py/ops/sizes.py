"""The arithmetic of windows that slide over a map, in one place."""

from __future__ import annotations

Stride = int | tuple[int, int]
"""Down and to the right; one number where both are the same."""


def pair(stride: Stride) -> tuple[int, int]:
    """A stride down and to the right."""
    return stride if isinstance(stride, tuple) else (stride, stride)


def stride_name(stride: Stride) -> str:
    """To the right, and down where that differs: AlexeyAB's program's order."""
    down, right = pair(stride)
    return f"{right}" if down == right else f"{right}x{down}"


def dilated(size: int, dilation: int) -> int:
    """How far a window reaches whose places are `dilation` apart."""
    return dilation * (size - 1) + 1


def conv_outs(
    h: int, w: int, size: int, stride: Stride, padding: int, dilation: int = 1
) -> tuple[int, int]:
    """Height and width of what a convolution gives."""
    down, right = pair(stride)
    reach = dilated(size, dilation)
    return conv_out(h, reach, down, padding), conv_out(w, reach, right, padding)


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


def maxpool_outs(h: int, w: int, size: int, stride: Stride, padding: int) -> tuple[int, int]:
    """Height and width of what pooling gives."""
    down, right = pair(stride)
    return maxpool_out(h, size, down, padding), maxpool_out(w, size, right, padding)


def _positions(spare: int, stride: int) -> int:
    return (spare // stride if spare >= 0 else -(-spare // stride)) + 1
