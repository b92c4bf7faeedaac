"""The way over a map's places and over filters: which of them a thread does, and where they lie."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.descriptor import TensorView
from darknet_py.ops.cpu.codegen.kernel import part


@part
def part_of(thread, threads, count, together):  # type: ignore[no-untyped-def]
    """The first of `count` that a thread does, and the first that it does not; `together` of them
    are not torn apart."""
    pieces = (count + together - 1) // together
    first = min(pieces * thread // threads * together, count)
    return first, min(pieces * (thread + 1) // threads * together, count)


@part
def place_of(number, high, wide):  # type: ignore[no-untyped-def]
    """Picture, row and column of a place, where pictures have high x wide."""
    picture = number // (high * wide)
    row = (number - picture * high * wide) // wide
    return picture, row, number - (picture * high + row) * wide


@part
def place_after(picture, row, column, high, wide):  # type: ignore[no-untyped-def]
    """The next one: counted, as a division takes as long as half a tile."""
    column += 1
    if column == wide:
        column, row = 0, row + 1
        if row == high:
            row, picture = 0, picture + 1
    return picture, row, column


@part
def pixel_at(x: TensorView, picture: int, row: int, column: int) -> int:
    """The address of a pixel of a map."""
    return x.address + picture * x.image + row * x.row + column * x.pixel


@part
def panels_of(vectors, size):  # type: ignore[no-untyped-def]
    """Panels of `size` vectors of filters, and the same with single vectors for the rest."""
    full = vectors // size
    return full, full + vectors - full * size


@part
def panel_at(number, full, size):  # type: ignore[no-untyped-def]
    """A panel's first vector, and how many it has."""
    if number < full:
        return number * size, size
    return full * size + number - full, 1
