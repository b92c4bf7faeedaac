"""A picture's delta put together from those of overlapping tiles: as of the whole, in less memory.

Tiles begin at multiples of the network's step, so that their maps are parts of the whole's, and
overlap so far that, where two meet, neither is changed by its own edge. What stands out is measured
over all tiles first. From `exact_tile` pixels on the delta is the whole's up to rounding; smaller
tiles overlap less, and fade into each other.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from darknet_py.network import Network
from darknet_py.network.receptive_field import receptive_field
from darknet_py.network.targets import Score, StandOut, Target

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
    """The nearest size that tiles can have: whole steps, 64 pixels at least."""
    step = step_of(net, targets)
    return max(tile // step, -(-_SMALLEST // step), 3) * step


def exact_tile(net: Network, targets: Sequence[Target], most: int) -> int:
    """The smallest tile whose deltas are the whole's; `most` or more where it is not smaller."""
    step = step_of(net, targets)
    tiles = range(tile_size(net, targets, 1), most, step)

    def is_exact(tile: int) -> bool:
        return _overlap(net, targets, tile, step)[0] >= _needed(net, targets, tile)

    place = bisect_left(tiles, True, key=is_exact)
    return tiles[place] if place < len(tiles) else most


def tiled_delta(net: Network, x: np.ndarray, targets: Sequence[Target], tile: int) -> np.ndarray:
    """Network.delta_towards, in tiles of about `tile` x `tile` pixels; x (c, h, w), and so is what
    it returns."""
    _, h, w = x.shape
    tile = tile_size(net, targets, tile)
    if h <= tile and w <= tile:
        return net.delta_towards(x, targets)
    step = step_of(net, targets)
    margin, fade = _overlap(net, targets, tile, step)
    rows, columns = (spans(length, tile, step, margin, fade) for length in (h, w))
    fixed = [_with_limit(net, x, target, rows, columns) for target in targets]
    whole = _counted(net, targets, h, w)
    total = np.zeros_like(x)
    for row, column, part in _parts(x, rows, columns):
        delta = net.delta_towards(part, fixed)
        # a tile's mean is of fewer pixels than the picture's
        share = _counted(net, targets, row.length, column.length) / whole
        delta *= (row.weights * np.float32(share))[:, None] * column.weights
        total[
            :, row.start : row.start + row.length, column.start : column.start + column.length
        ] += delta
    return total


def spans(length: int, tile: int, step: int, margin: int, fade: int) -> list[Span]:
    """Tiles along one side of `length` pixels; `tile` is a multiple of `step`. All but the last,
    which may be shorter, are of `tile` pixels.

    Each begins and ends at least `margin` pixels beyond what is its own, and fades `fade` pixels
    on either side of where it meets the next: their weights add up to 1.
    """
    if length <= tile:
        return [Span(0, length, 0, length, np.ones(length, np.float32))]
    advance = max((tile - 2 * margin) // step - 1, 1) * step
    starts = [*range(0, length - tile, advance), -(-(length - tile) // step) * step]
    meets = [(one + tile + other) // 2 // step * step for one, other in itertools.pairwise(starts)]
    edges = [0, *meets, length]
    found = []
    for start, first, last in zip(starts, edges, edges[1:], strict=False):
        own = min(tile, length - start)
        place = np.arange(start, start + own, dtype=np.float32) + 0.5
        weights = _fade_in(place - first, fade) if first > 0 else np.ones(own, np.float32)
        if last < length:
            weights = weights - _fade_in(place - last, fade)
        found.append(Span(start, own, first - start, last - start, weights))
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


def step_of(net: Network, targets: Sequence[Target]) -> int:
    """What tiles begin at multiples of: moved so far, all maps move by whole pixels."""
    return max(receptive_field(net.layers, target.layer).step for target in targets)


def _overlap(net: Network, targets: Sequence[Target], tile: int, step: int) -> tuple[int, int]:
    """Margin and fade of tiles."""
    needed = _needed(net, targets, tile)
    most = (tile - 2 * step) // 3
    return (needed, _FADE) if needed <= most else (most, max(most // 2, 1))


def _needed(net: Network, targets: Sequence[Target], tile: int) -> int:
    """How far from its edge a tile's delta is the whole's, and some pixels to fade in. Twice what a
    layer sees to a side: the features that a pixel is part of see no edge."""
    sized = net.resized(w=tile, h=tile)
    return 2 * max(receptive_field(sized.layers, target.layer).side for target in targets) + _FADE


def _counted(net: Network, targets: Sequence[Target], h: int, w: int) -> int:
    """Pixels whose mean a score is, in a picture of `h` x `w`; 1 for what is no mean."""
    scored = [target.layer for target in targets if isinstance(target, Score)]
    sized = net.resized(w=w, h=h).layers[: max(scored) + 1] if scored else []
    sizes = [layer.in_shape.h * layer.in_shape.w for layer in sized if layer.kind == "avgpool"]
    return sizes[-1] if sizes else 1


def _with_limit(
    net: Network, x: np.ndarray, target: Target, rows: Sequence[Span], columns: Sequence[Span]
) -> Target:
    """The target with its limit measured over the whole picture, if it has one."""
    if not isinstance(target, StandOut) or target.limit is not None:
        return target
    jump = receptive_field(net.layers, target.layer).jump
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
