"""How long a dream takes, about, before it is begun."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from darknet_py.network import Network
from darknet_py.network.targets import Guided, Target
from darknet_py.tasks.dream.options import DreamOptions, octave_size

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
