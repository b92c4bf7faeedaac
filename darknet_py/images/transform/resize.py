"""darknet's bilinear resizing: corners aligned, no antialiasing."""

from __future__ import annotations

import numpy as np

from darknet_py.images.arrays import Array, Floats, Indices
from darknet_py.images.io.image import to_float


def check_image(image: Array) -> None:
    """ValueError unless the array has shape (h, w, c) with no side of 0."""
    if image.ndim != 3 or image.size == 0:
        raise ValueError(f"an array of shape {image.shape} is not a picture (h, w, c)")


def check_size(w: int, h: int) -> None:
    """ValueError unless a picture of `w` x `h` pixels can be."""
    if w < 1 or h < 1:
        raise ValueError(f"a picture of {w}x{h} pixels cannot be")


def resize_image(image: Array, w: int, h: int) -> Floats:
    """The picture at `w` x `h` pixels: output column x samples column x * (in_w - 1) / (w - 1).

    `image`: shape (in_h, in_w, c), any c; bytes count as 0..1, floats may have any range. Returns a
    new float32 array of shape (h, w, c). A side of 1 pixel is repeated; a side reduced to 1 pixel
    keeps its last one. Raises ValueError for a size below 1.

    Source: resize_image, sample positions in float32 as there, so that predictions are the C
    program's. Where the last row's position is rounded down (one height in 25, 496 to 224 among
    them) that row comes out black, as there. Its read beyond the picture for h = 1 is fixed.
    """
    check_image(image)
    check_size(w, h)
    left, right, dx = samples(image.shape[1], w)
    left[-1] = right[-1] = image.shape[1] - 1  # wherever rounding puts it
    above, below, dy = samples(image.shape[0], h)
    # Only rows that the second step needs go through the first.
    rows, at = np.unique(np.concatenate([above, below]), return_inverse=True)
    # Bytes become floats here: of a large photo few pixels are asked for.
    before, after = (to_float(_gather(image, rows, columns)) for columns in (left, right))
    part = _blend(before, after, dx[:, None])
    before, after = part[at[:h]], part[at[h:]]
    after[-1] = 0  # as there: the last row takes nothing from below
    return _blend(before, after, dy[:, None, None])


def resize_min(image: Array, shortest: int) -> Floats:
    """The picture with its shorter side at `shortest` pixels, the other in proportion, rounded
    down as in the C program's resize_min. `image`: shape (in_h, in_w, c)."""
    check_image(image)
    in_h, in_w = image.shape[:2]
    if in_w < in_h:
        return resize_image(image, shortest, in_h * shortest // in_w)
    return resize_image(image, in_w * shortest // in_h, shortest)


def resize_max(image: Array, longest: int) -> Floats:
    """The picture with its longer side at `longest` pixels, the other in proportion, rounded down
    as in the C program's resize_max, but never to 0. `image`: shape (in_h, in_w, c)."""
    check_image(image)
    in_h, in_w = image.shape[:2]
    if in_w > in_h:
        return resize_image(image, longest, max(1, in_h * longest // in_w))
    return resize_image(image, max(1, in_w * longest // in_h), longest)


def samples(size: int, out: int) -> tuple[Indices, Indices, Floats]:
    """For each of `out` places: the pixel before it, the one after, the share of that one."""
    scale = np.float32(size - 1) / np.float32(max(out - 1, 1))
    place = np.arange(out, dtype=np.float32) * scale
    before = place.astype(np.intp)
    share = place - before.astype(np.float32)
    if out == 1:
        before[-1] = size - 1
    return before, np.minimum(before + 1, size - 1), share


def _gather(image: Array, rows: Indices, columns: Indices) -> Array:
    """image[rows][:, columns], only faster."""
    if not image.flags.c_contiguous:
        image, rows = image[rows], np.arange(len(rows))
    _, w, c = image.shape
    gathered: Array = image.reshape(-1, c).take(rows[:, None] * w + columns, axis=0)
    return gathered


def _blend(before: Array, after: Array, share: Floats) -> Floats:
    """(1 - share) * before + share * after; the arrays are the caller's to use up."""
    blended = before.astype(np.float32, copy=False)
    blended *= 1 - share
    other = after.astype(np.float32, copy=False)
    other *= share
    blended += other
    return blended
