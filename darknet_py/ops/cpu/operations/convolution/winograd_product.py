"""Products of matrices of tiles with those of the weights: most of what Winograd's way computes."""

from __future__ import annotations

from darknet_py.ops.cpu.codegen.kernel import part
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR, ahead, make_product

REST = 4
"""Tiles that are multiplied together where no more are left, as of late layers' maps."""

_wide, _narrow = make_product(PIXELS, PANEL), make_product(PIXELS, 1)
_wide_rest, _narrow_rest = make_product(REST, PANEL), make_product(REST, 1)


@part
def odd_lines(size):  # type: ignore[no-untyped-def]
    """Bytes, rounded up to an odd number of cache lines: matrices that lie so far apart do not
    meet in one set of the cache."""
    return ((size + 63) // 64 | 1) * 64


@part
def multiply(a, c, matrix, out, width, n, passes, asked):  # type: ignore[no-untyped-def]
    """n tiles (of c channels) times a matrix (c, filters of `width` vectors), six in a pass."""
    for i in range(passes):
        t = PIXELS * i
        later = ahead(matrix, c, width * VECTOR, asked, i, passes)
        product = a + t * c * 4, c * 4, c, matrix, later, asked, out + t * width * VECTOR
        if width == PANEL:
            if n - t <= REST:
                _wide_rest(*product)
            else:
                _wide(*product)
        elif n - t <= REST:
            _narrow_rest(*product)
        else:
            _narrow(*product)
