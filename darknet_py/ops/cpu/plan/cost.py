"""Which algorithm is fastest for a convolution: a model of what each one costs.

The unit is one multiplication and addition of a vector, of which a core does about two in a cycle.
The figures were fitted to measured times (AVX2, Zen 3); they decide between algorithms, nothing
else.
"""

from __future__ import annotations

from typing import NamedTuple

from darknet_py.ops.cpu.kernels.tile import FLOAT, PANEL, PIXELS, VECTOR
from darknet_py.ops.cpu.kernels.transforms import WINOGRAD
from darknet_py.ops.cpu.kernels.winograd import REST
from darknet_py.ops.cpu.native.host import vector_length

_CACHE = 384 * 1024
"""Bytes that a thread's block may fill: most of a core's second cache."""
_TRANSFORM = {4: 1.6, 6: 1.3}
"""Work for each vector that a transform of n x n reads or writes."""
_STREAM = 1.0
"""Work for reading a vector of weights that is in no cache near the core."""
_MEMORY = VECTOR / 4
"""Work in the time in which a vector comes from memory, which all cores share."""


class Choice(NamedTuple):
    """m: outputs of Winograd's tiles at a side, 0 for direct; block: pixels or tiles together."""

    m: int
    block: int
    split_filters: bool
    cost: float

    @property
    def algorithm(self) -> str:
        return f"winograd {self.m}x{self.m}" if self.m else "direct"


def cheapest(
    places: tuple[int, int, int],
    c: int,
    filters: int,
    window: tuple[int, int],
    stride: int,
    groups: int,
    threads: int,
    exact: bool,
) -> Choice:
    """The choice for places = (n, h, w) outputs."""
    n, h, w = places
    choices = [_direct(n * h * w, c, filters, window, groups, threads)]
    may_transform = window[0] == window[1] and stride == 1 and groups == 1 and not exact
    if may_transform and c >= vector_length():
        choices += [
            _winograd(m, size, n * _ceil(h, m) * _ceil(w, m), c, filters, threads)
            for m, size in WINOGRAD
            if size == window[0]
        ]
    return min(choices, key=lambda choice: choice.cost)


def _direct(
    pixels: int, c: int, filters: int, window: tuple[int, int], groups: int, threads: int
) -> Choice:
    vectors = _ceil(filters, vector_length())
    numbers = window[0] * window[1] * c // groups
    split = _should_split(pixels, PIXELS, _ceil(vectors, PANEL), threads)
    tiles = _ceil(_share(_ceil(pixels, PIXELS), 1 if split else threads), 1)
    mine = _share(vectors, threads if split else 1)
    block = _block(PIXELS, numbers * FLOAT, tiles * PIXELS)
    work = tiles * PIXELS * mine * (numbers + 8)
    loads = _ceil(tiles * PIXELS, block) * numbers * mine
    memory = _MEMORY * numbers * vectors
    return Choice(0, block, split, max(work + _STREAM * loads, memory))


def _winograd(m: int, size: int, tiles: int, c: int, filters: int, threads: int) -> Choice:
    vectors, inputs = _ceil(filters, vector_length()), _ceil(c, vector_length())
    n = m + size - 1
    count = n * n
    split = _should_split(tiles, PIXELS, _ceil(vectors, PANEL), threads)
    mine_tiles = _multiplied(
        min(_share(_ceil(tiles, PIXELS), 1 if split else threads) * PIXELS, tiles)
    )
    mine = _share(vectors, threads if split else 1)
    each = count * (inputs * VECTOR + PANEL * VECTOR)
    block = _block(PIXELS, each, mine_tiles)
    products = count * mine_tiles * mine * (inputs * vector_length() + 4)
    transforms = _TRANSFORM[n] * count * mine_tiles * (2 * inputs + 2 * mine)
    weights = count * inputs * vector_length()
    loads = _ceil(mine_tiles, block) * weights * mine
    memory = _MEMORY * weights * vectors
    return Choice(m, block, split, max(products + transforms + _STREAM * loads, memory))


def _multiplied(tiles: int) -> int:
    """Tiles with those that are multiplied for nothing."""
    rest = tiles % PIXELS
    return tiles - rest + (0 if rest == 0 else REST if rest <= REST else PIXELS)


def _should_split(places: int, tile: int, panels: int, threads: int) -> bool:
    """Whether threads share filters rather than places: where that leaves less to the busiest."""
    tiles = _ceil(places, tile)
    by_places = _share(tiles, threads) * panels
    by_filters = tiles * _share(panels, threads)
    return by_filters < by_places


def _share(parts: int, threads: int) -> int:
    """Parts of the thread that has most of them."""
    return _ceil(parts, threads)


def _block(tile: int, bytes_each: int, most: int) -> int:
    wanted = max(_CACHE // max(bytes_each, 1) // tile, 2) * tile
    return max(min(wanted, 96, _ceil(most, tile) * tile), tile)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
