"""How a kernel is told of a map: one argument instead of a dozen numbers.

In a row of a table a descriptor is its numbers side by side; a kernel's parameter annotated
`TensorView` takes as many columns, and numba keeps the tuple in registers: what a kernel does
not use is not loaded.
"""

from __future__ import annotations

from typing import NamedTuple


class TensorView(NamedTuple):
    """A map (n, h, w, c) in memory: the address of its first pixel, pitches in bytes."""

    address: int
    n: int
    h: int
    w: int
    c: int
    vectors: int
    """Vectors of channels, the last one padded with zeros."""
    image: int
    """From a picture to the next."""
    row: int
    pixel: int

    def pitches(self, name: str, stride: int = 1) -> dict[str, int]:
        """Arguments of a kernel that takes no descriptor: NAME_image, NAME_row, NAME_pixel."""
        return {
            f"{name}_image": self.image,
            f"{name}_row": stride * self.row,
            f"{name}_pixel": stride * self.pixel,
        }


NO_VIEW = TensorView(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""For a map that is not there: its address is 0."""
