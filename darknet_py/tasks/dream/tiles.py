"""A picture's delta put together from those of overlapping tiles: as of the whole, in less memory.

Tiles begin at multiples of the network's step, so that their maps are parts of the whole's, and
overlap so far that, where two meet, neither knows of its own edge any more. What stands out is
measured over all tiles first. Where there is no memory for so much overlap, tiles differ a little
where they meet, and one fades into the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from darknet_py.images import crop_image
from darknet_py.network import Network
from darknet_py.network.reach import reach
from darknet_py.network.targets import StandOut, Target

_FADE = 8
"""Pixels on either side in which one tile fades into the next, where both know the truth."""
_SMALLEST = 64


@dataclass(frozen=True)
class Span:
    """A tile along one side of the picture: `start` and `length`; of its pixels `first` to `last`
    - 1 are its own, `weights` what it counts for."""

    start: int
    length: int
    first: int
    last: int
    weights: np.ndarray


def tile_size(net: Network, targets: Sequence[Target], tile: int) -> int:
    """The size nearest to the wished one that tiles can have: whole steps, 64 pixels at least."""
    step = _step(net, targets)
    return max(tile // step, -(-_SMALLEST // step), 3) * step


def tiled_delta(net: Network, x: np.ndarray, targets: Sequence[Target], tile: int) -> np.ndarray:
    """Network.delta_towards, in tiles of about `tile` x `tile` pixels; x (c, h, w), and so is what
    it returns."""
    _, h, w = x.shape
    tile = tile_size(net, targets, tile)
    if h <= tile and w <= tile:
        return net.delta_towards(x, targets)
    step = _step(net, targets)
    padded = _padded(x, step)
    margin, fade = _overlap(net, targets, tile, step)
    rows, columns = (spans(length, tile, step, margin, fade) for length in padded.shape[1:])
    fixed = [_with_limit(net, padded, target, rows, columns) for target in targets]
    total = np.zeros_like(padded)
    for row, column, part in _parts(padded, rows, columns):
        delta = net.delta_towards(part, fixed)
        delta *= row.weights[:, None] * column.weights
        total[
            :, row.start : row.start + row.length, column.start : column.start + column.length
        ] += delta
    return total[:, :h, :w]


def spans(length: int, tile: int, step: int, margin: int, fade: int) -> list[Span]:
    """Tiles along one side of `length` pixels, which is a multiple of `step`, as is `tile`.

    Each begins and ends at least `margin` pixels beyond what is its own, and fades `fade` pixels
    on either side of where it meets the next: their weights add up to 1.
    """
    if length <= tile:
        return [Span(0, length, 0, length, np.ones(length, np.float32))]
    advance = max((tile - 2 * margin) // step - 1, 1) * step
    starts = [*range(0, length - tile, advance), length - tile]
    meets = [(one + tile + other) // 2 // step * step for one, other in itertools.pairwise(starts)]
    edges = [0, *meets, length]
    found = []
    for start, first, last in zip(starts, edges, edges[1:], strict=False):
        place = np.arange(start, start + tile, dtype=np.float32) + 0.5
        weights = _fade_in(place - first, fade) if first > 0 else np.ones(tile, np.float32)
        if last < length:
            weights = weights - _fade_in(place - last, fade)
        found.append(Span(start, tile, first - start, last - start, weights))
    return found


def _fade_in(distance: np.ndarray, fade: int) -> np.ndarray:
    """From 0 to 1 within `fade` pixels on either side of where tiles meet."""
    shares: np.ndarray = np.clip(distance / (2 * fade) + 0.5, 0, 1)
    return shares


def _parts(
    x: np.ndarray, rows: Sequence[Span], columns: Sequence[Span]
) -> Iterator[tuple[Span, Span, np.ndarray]]:
    for row in rows:
        for column in columns:
            here = x[
                :, row.start : row.start + row.length, column.start : column.start + column.length
            ]
            yield row, column, np.ascontiguousarray(here)


def _step(net: Network, targets: Sequence[Target]) -> int:
    return max(reach(net.layers, target.layer).step for target in targets)


def _overlap(net: Network, targets: Sequence[Target], tile: int, step: int) -> tuple[int, int]:
    """Margin and fade of tiles. Twice its side from its edge, a tile's delta is the whole's: the
    features that a pixel is part of see no edge."""
    sized = net.resized(w=tile, h=tile)
    side = max(reach(sized.layers, target.layer).side for target in targets)
    needed = 2 * side + _FADE
    most = (tile - 2 * step) // 3
    return (needed, _FADE) if needed <= most else (most, max(most // 2, 1))


def _padded(x: np.ndarray, step: int) -> np.ndarray:
    """Sides made multiples of `step`, by pixels of the edge."""
    _, h, w = x.shape
    new_h, new_w = -(-h // step) * step, -(-w // step) * step
    if (new_h, new_w) == (h, w):
        return x
    return crop_image(x.transpose(1, 2, 0), 0, 0, new_w, new_h).transpose(2, 0, 1)


def _with_limit(
    net: Network, x: np.ndarray, target: Target, rows: Sequence[Span], columns: Sequence[Span]
) -> Target:
    """The target with its limit measured over the whole picture, if it has one."""
    if not isinstance(target, StandOut) or target.limit is not None:
        return target
    jump = reach(net.layers, target.layer).jump
    count, total, squares = 0, 0.0, 0.0
    for row, column, part in _parts(x, rows, columns):
        (y,) = net.outputs_of(part[None], [target.layer])
        own = y[0, :, _own(row, jump), _own(column, jump)]
        if target.channels:
            own = own[list(target.channels)]
        count += own.size
        total += float(own.sum(dtype=np.float64))
        squares += float(np.square(own, dtype=np.float64).sum())
    mean = total / count
    deviation = max(squares / count - mean * mean, 0.0) ** 0.5
    return replace(target, limit=mean + target.thresh * deviation)


def _own(span: Span, jump: int) -> slice:
    """A span's own part of a map with one pixel for `jump` of the picture; at the picture's end
    all that there is."""
    return slice(span.first // jump, None if span.last == span.length else span.last // jump)
