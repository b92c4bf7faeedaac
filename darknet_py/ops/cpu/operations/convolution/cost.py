"""Which algorithm is fastest for a convolution: a model of what each one costs.

The unit is one multiplication and addition of a vector, of which a core does about two in a cycle.
The figures were fitted to measured times (AVX2, Zen 3, two cores: all ways to compute 58 layers);
they decide between algorithms, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.tile import PANEL, PIXELS, VECTOR
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import WINOGRAD

REST = 4
"""Tiles that are multiplied together where no more are left, as of late layers' maps."""
_BLOCKS = (12, 24, 48, 96)
"""Pixels or tiles together: multiples of a register tile's."""
_NEAR = 256 * 1024
"""Bytes that are read again and again at no cost: half of a core's second cache."""
_FAR = 4.0
"""Work for reading a vector from where more than that lies."""
_LARGE = 8 * 1024 * 1024
"""Bytes of weights that come from memory each time."""
_MEMORY = VECTOR / 4
"""Work in the time in which a vector comes from memory, which all cores share."""
_AGAIN = 0.5
"""Work for reading a vector of fewer weights again."""
_IN = {4: 2.0, 6: 10.0}
_OUT = {4: 2.0, 6: 1.0}
"""Work for each vector that a transform of n x n reads or writes."""
_LIST = 20
"""Work for a pixel in the lists of a direct convolution."""


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
    numbers = window[0] * window[1] * c // groups
    choices = list(_direct(n * h * w, numbers, _vectors(filters), threads))
    may_transform = window[0] == window[1] and stride == 1 and groups == 1 and not exact
    if may_transform and c >= vector_length():
        for m, size in WINOGRAD:
            if size == window[0]:
                tiles = n * _ceil(h, m) * _ceil(w, m)
                choices += _winograd(m, size, tiles, _vectors(c), _vectors(filters), threads)
    return min(choices, key=lambda choice: choice.cost)


def _direct(pixels: int, numbers: int, vectors: int, threads: int) -> Iterator[Choice]:
    for split, mine, mine_vectors in _shares(pixels, vectors, threads):
        for block in _BLOCKS:
            work = mine * (mine_vectors * (numbers + 8) + _LIST)
            blocks = _ceil(mine, block)
            yield _choice(0, block, split, work, blocks, numbers * mine_vectors, numbers * vectors)


def _winograd(
    m: int, size: int, tiles: int, inputs: int, vectors: int, threads: int
) -> Iterator[Choice]:
    """inputs, vectors: of channels and of filters, in vectors."""
    n = m + size - 1
    count = n * n
    matrices = count * inputs * vector_length()
    for split, mine, mine_vectors in _shares(tiles, vectors, threads):
        mine = min(mine, tiles)
        for block in _BLOCKS:
            blocks = _ceil(mine, block)
            multiplied = (blocks - 1) * _multiplied(block) + _multiplied(
                mine - (blocks - 1) * block
            )
            work = float(count * multiplied * mine_vectors * (inputs * vector_length() + 4))
            work += 2 * count * mine * (_IN[n] * inputs + _OUT[n] * mine_vectors)
            if count * min(block, mine) * inputs * VECTOR > _NEAR:
                work += _FAR * count * mine * inputs * _ceil(mine_vectors, PANEL)
            yield _choice(
                m, block, split, work, blocks, matrices * mine_vectors, matrices * vectors
            )


def _choice(
    m: int, block: int, split: bool, work: float, blocks: int, mine: int, all_: int
) -> Choice:
    """mine, all_: vectors of weights that this thread reads for each block, and that there are."""
    size = all_ * VECTOR
    first = _MEMORY * all_ if size > _LARGE // 8 else 0
    again = first if size > _LARGE else _AGAIN * mine
    # memory is read while the multipliers work
    cost = max(work + (blocks - 1) * again, first + (blocks - 1) * again)
    return Choice(m, block, split, cost)


def _shares(places: int, vectors: int, threads: int) -> Iterator[tuple[bool, int, int]]:
    """Whether threads share the filters, not the places (pixels, or tiles), and what the busiest
    one does: places, and vectors of filters."""
    yield False, _ceil(_ceil(places, PIXELS), threads) * PIXELS, vectors
    if threads > 1:
        mine = min(_ceil(_ceil(vectors, PANEL), threads) * PANEL, vectors)
        yield True, _ceil(places, PIXELS) * PIXELS, mine


def _multiplied(tiles: int) -> int:
    """Tiles with those that are multiplied for nothing."""
    rest = tiles % PIXELS
    return tiles - rest + (0 if rest == 0 else REST if rest <= REST else PIXELS)


def _vectors(channels: int) -> int:
    return _ceil(channels, vector_length())


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
