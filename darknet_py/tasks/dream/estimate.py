"""What a dream takes before it is begun: seconds, and memory."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.network import Network, tracing
from darknet_py.network.derived import on_meta
from darknet_py.network.targets import Guided, Score, StandOut, Target
from darknet_py.ops.memory import available_memory
from darknet_py.tasks.dream.objective import Choice
from darknet_py.tasks.dream.options import DreamOptions, octave_size
from darknet_py.tasks.dream.tiles import step_of, tile_size

# How long a dream takes, about, before it is begun.

_CPU, _GPU = 15e9, 4e12
"""Multiplications and additions in a second: of a CPU's thread, of a GPU; and whatever the device,
what of the picture itself is done beside the network, in its numbers."""
_NUMBERS = 2e8
_STEP = 0.005
"""Seconds that a step, or a tile of one, takes at least."""
_AROUND, _LEVELLED, _SMOOTHED = 30, 20, 1
"""Passes over the picture: in each step, for each of --laplacian's levels, for each pixel that
-smooth reaches."""


@dataclass(frozen=True)
class Forecast:
    """rounds, steps: that are made, and steps to each. w, h: of the picture. seconds, bytes: about,
    on this device."""

    w: int
    h: int
    rounds: int
    steps: int
    seconds: float
    bytes: int


def dream_seconds(
    net: Network,
    w: int,
    h: int,
    choices: Sequence[Sequence[Target]],
    options: DreamOptions,
    tile: int,
    threads: int,
) -> float:
    """About. net: up to the last layer that is needed, with or without values; choices: what steps
    are drawn from, for a picture of `w` x `h` pixels."""
    rate = _GPU if net.ops.__name__.endswith("gpu") else _CPU * threads
    around = net.in_shape.c * _passes(options) / _NUMBERS
    seconds = 0.0
    for octave in range(options.octaves):
        scale = octave_size(w, h, octave, options.octave_scale)
        size = net.next_size(*scale)
        tiles, share = _tiles(*size, tile)
        seconds += tiles * _STEP + share * _operations(net, *size, choices) / rate
        seconds += around * (math.prod(scale) if options.coarse_to_fine else w * h)
    return options.rounds * options.steps * seconds / options.octaves


def _tiles(w: int, h: int, tile: int) -> tuple[int, float]:
    """How many there are at most, and how many times the picture they are together."""
    if not tile or max(w, h) <= tile:
        return 1, 1
    advance = max(tile // 3, 1)  # see tiles.py
    tiles = -(-w // advance) * -(-h // advance)
    return tiles, max(tiles * tile * tile / (w * h), 1)


def _operations(net: Network, w: int, h: int, choices: Sequence[Sequence[Target]]) -> float:
    """Of a step, there and back: the mean of all choices."""
    layers = net.resized(w, h).layers
    sums = [0]
    for layer in layers:
        sums.append(sums[-1] + layer.operations())
    total = 0
    for choice in choices:
        total += 2 * sums[max(target.layer for target in choice) + 1]
        for target in choice:
            if isinstance(target, Guided):
                total += 2 * layers[target.layer].out_shape.size * len(target.features)
    return total / len(choices)


def _passes(options: DreamOptions) -> int:
    return _AROUND + _LEVELLED * options.laplacian + _SMOOTHED * options.smooth


# How much memory a dream takes, before it takes it.

_PROGRAM = 190 << 20
"""Bytes of the program itself: the interpreter, numpy, the compiler, kernels."""
_COPIES, _LEVELLED_COPIES, _SCALED = 7, 14, 4
"""Of the picture, at most, at one time; further ones where its details are made equally strong, and
where what each scale adds is carried to the next."""
_KEPT = 12
"""Programs that an engine keeps."""
_LIMITS = 4
"""Of these, those that measure tiles, before programs of as many shapes dream on them."""
_MAPS, _PACKED = 2.5, 6
"""On a device that does not say beforehand: what a program takes for each byte of all outputs and
of two more of the largest, and of its weights."""
_SHARE = 0.8
"""Of what is free."""
TILES = (2048, 1536, 1024, 768, 512, 384, 256, 192, 128)
"""Sizes that are tried where the whole does not fit."""


@dataclass(frozen=True)
class DreamMemory:
    """What takes memory. net: up to the last layer that is needed, with or without values; choices:
    what steps are drawn from, for a picture of `w` x `h` pixels."""

    net: Network
    w: int
    h: int
    choices: Sequence[Sequence[Target]]
    options: DreamOptions

    def forecast(self, tile: int = 0) -> int:
        """Bytes that it takes at most, about: what has been measured is a fifth less, or nothing.
        tile: 0 for the whole picture at once."""
        octaves, scale = self.options.octaves, self.options.octave_scale
        sizes = [
            self.net.next_size(*octave_size(self.w, self.h, octave, scale))
            for octave in range(octaves)
        ]
        paper, packed = on_meta(self.net), dict[Hashable, int]()
        dreams: list[int] = []
        limits: list[int] = []
        known: dict[tuple[int, int, int], tuple[int, int]] = {}
        for index, choice in enumerate(self.choices):
            step = step_of(self.net, choice)
            side = tile_size(self.net, choice, tile) if tile else 0
            for size in sizes:
                w, h = (min(length, side) for length in size) if tile else size
                # the last tile of a row, and of a column, may be a little smaller
                over = [max(length - side, 0) if tile else 0 for length in size]
                shapes = math.prod(2 if more % step else 1 for more in over)
                if (index, w, h) not in known:
                    known[index, w, h] = _program(paper, w, h, choice, packed)
                maps, limit = known[index, w, h]
                dreams += [maps] * shapes
                limits += [limit] * shapes if any(over) else []
        kept = sorted(limits, reverse=True)[:_LIMITS]
        kept += sorted(dreams, reverse=True)[: _KEPT - len(kept)]
        weights = 4 * sum(parameter.size for parameter in self.net.parameters())
        copies = _COPIES + _LEVELLED_COPIES * bool(self.options.laplacian)
        copies += _SCALED * self.options.coarse_to_fine
        picture = 4 * self.w * self.h * self.net.in_shape.c
        return _PROGRAM + copies * picture + weights + sum(packed.values()) + sum(kept)

    def choose_tile(self, limit: int) -> int:
        """0 where the whole picture fits into `limit` bytes, else the largest tile that does; where
        none does, the smallest."""
        if self.forecast() <= limit:
            return 0
        smaller = [tile for tile in TILES if tile < max(self.w, self.h)]
        for tile in smaller:
            if self.forecast(tile) <= limit:
                return tile
        return smaller[-1] if smaller else 0


def shapes_of(
    net: Network, found: Sequence[Choice], is_class: bool, guide: np.ndarray | None
) -> list[list[Target]]:
    """Targets that take as much memory as a dream's, made without its weights. guide: (h, w, c)."""
    if is_class:
        return [[Score(layer, 0) for layer, _ in choice] for choice in found]
    if guide is None:
        return [[StandOut(layer) for layer, _ in choice] for choice in found]
    h, w, _ = guide.shape
    maps = [layer.out_shape for layer in net.resized(w=w, h=h).layers]
    zero = np.zeros((), np.float32)
    return [
        [Guided(i, np.broadcast_to(zero, (maps[i].h * maps[i].w, maps[i].c))) for i, _ in choice]
        for choice in found
    ]


def _program(
    paper: Network, w: int, h: int, choice: Sequence[Target], packed: dict[Hashable, int]
) -> tuple[int, int]:
    """Bytes of a program that dreams on `w` x `h` pixels and of one that only looks at them; adds
    the weights that they pack."""
    x = np.broadcast_to(np.zeros((), np.float32), (1, paper.in_shape.c, h, w))
    last = max(target.layer for target in choice)
    found = []
    for work in (tracing.dream(paper, x, choice), tracing.outputs(paper, x, [last])):
        known = paper.engine.forecast(work.trace(1))
        if known is None:
            layers = paper.truncated(last).resized(w=w, h=h).layers
            sizes = [layer.out_shape.size for layer in layers]
            weights = sum(parameter.size for layer in layers for parameter in layer.parameters())
            known = int(4 * _MAPS * (sum(sizes) + 2 * max(sizes))), {"all": 4 * _PACKED * weights}
        found.append(known[0])
        packed.update(known[1])
    return found[0], found[1]


def free_memory(net: Network) -> int:
    """Bytes that a dream may still take: most of what the machine, its container, or the device
    that the network is on, has free."""
    own = net.engine.free_memory()
    known = [available_memory(), *([] if own is None else [own])]
    return int(_SHARE * min(known))
