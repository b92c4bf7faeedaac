"""Which places of a map a thread works on, and where they lie: indices, and indirection buffers of
addresses, by which a tile's pixels may lie anywhere."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.emit import Builder, Pair, Value, load_int, offset, store_i64
from darknet_py.ops.cpu.codegen.kernel import TensorView, part
from darknet_py.ops.cpu.codegen.tile import PIXELS


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


def listed(builder: Builder, addresses: Pair, count: int) -> list[Value]:
    """`count` addresses from a list, so many bytes further on."""
    first, shift = addresses
    places = [offset(builder, first, 8 * i) for i in range(count)]
    return [builder.add(load_int(builder, place), shift) for place in places]


@part
def list_pixels(lists, block, first, last, x, y):  # type: ignore[no-untyped-def]
    """Lists windows and outputs of pixels first to last - 1, and the last again to fill a tile: an
    indirection buffer (Dukhan 2019), made where it is used. Returns the number of tiles.

    block: room for windows. x: its pitches are from one window to the next.
    """
    picture, row, column = place_of(first, y.h, y.w)
    window, output = pixel_at(x, picture, row, column), pixel_at(y, picture, row, column)
    tiles = (last - first + PIXELS - 1) // PIXELS
    for i in range(tiles * PIXELS):
        store_i64(lists + 8 * i, window)
        store_i64(lists + 8 * (block + i), output)
        if first + i + 1 < last:
            column += 1
            window, output = window + x.pixel, output + y.pixel
            if column == y.w:
                picture, row, column = place_after(picture, row, column - 1, y.h, y.w)
                window, output = pixel_at(x, picture, row, 0), pixel_at(y, picture, row, 0)
    return tiles


@part
def list_squares(lists, block, first, last, x, y):  # type: ignore[no-untyped-def]
    """The same for pooled outputs, each a tile: the windows of four pixels.

    x: its pitches are from one of the four to the next.
    """
    picture, row, column = place_of(first, y.h, y.w)
    for i in range(last - first):
        corner = pixel_at(x, picture, 2 * row, 2 * column)
        store_i64(lists + 32 * i, corner)
        store_i64(lists + 32 * i + 8, corner + x.pixel)
        store_i64(lists + 32 * i + 16, corner + x.row)
        store_i64(lists + 32 * i + 24, corner + x.row + x.pixel)
        store_i64(lists + 8 * (4 * block + i), pixel_at(y, picture, row, column))
        picture, row, column = place_after(picture, row, column, y.h, y.w)
    return last - first
