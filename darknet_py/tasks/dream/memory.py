"""How much memory a dream takes, before it takes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from darknet_py.network import Network
from darknet_py.tasks.dream.options import Options, octave_size

_PROGRAM = 230 << 20
"""Bytes of the program itself: the interpreter, numpy, the compiler, kernels."""
_COPIES = 7
"""Of the picture, at most, at one time."""
_PACKED = 6
"""Of the weights: as they are, and as convolutions of both directions want them."""
_KEPT = 12
"""Programs that an engine keeps."""
_MAPS = 1.6
"""What a program takes, measured, for each byte of all outputs and of two more of the largest."""
_SHARE = 0.8
"""Of what is free."""
TILES = (2048, 1536, 1024, 768, 512, 384, 256, 192, 128)
"""Sizes that are tried where the whole does not fit."""


def forecast(
    net: Network, w: int, h: int, layers: Sequence[int], options: Options, tile: int = 0
) -> int:
    """Bytes that a dream on a picture of `w` x `h` pixels takes at most, about.

    layers: the last one of each choice. tile: 0 for the whole picture at once.
    """
    sizes = {octave_size(w, h, octave, options.octave_scale) for octave in range(options.octaves)}
    if tile:
        sizes = {(min(small_w, tile), min(small_h, tile)) for small_w, small_h in sizes}
    programs = sorted(
        (_maps(net, *size, layer) for size in sizes for layer in set(layers)), reverse=True
    )
    weights = 4 * sum(parameter.size for parameter in net.parameters())
    picture = 4 * w * h * net.in_shape.c
    # tiles are looked at before they are dreamed on, by programs of their own
    maps = sum(programs[:_KEPT]) * (2 if tile and 2 * len(programs) <= _KEPT else 1)
    return _PROGRAM + _COPIES * picture + _PACKED * weights + int(_MAPS * maps)


def choose_tile(
    net: Network, w: int, h: int, layers: Sequence[int], options: Options, limit: int
) -> int:
    """0 where the whole picture fits into `limit` bytes, else the largest tile that does; where
    none does, the smallest."""
    if forecast(net, w, h, layers, options) <= limit:
        return 0
    smaller = [tile for tile in TILES if tile < max(w, h)]
    for tile in smaller:
        if forecast(net, w, h, layers, options, tile) <= limit:
            return tile
    return smaller[-1] if smaller else 0


def _maps(net: Network, w: int, h: int, last: int) -> int:
    sizes = [layer.out_shape.size for layer in net.upto(last).resized(w=w, h=h).layers]
    return 4 * (sum(sizes) + 2 * max(sizes))


def free_memory(net: Network) -> int:
    """Bytes that a dream may still take: most of what the machine, its container, or the device
    that the network is on, has free."""
    own = net.engine.free_memory()
    known = [_machine(), *_container(), *([] if own is None else [own])]
    return int(_SHARE * min(known))


def _machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines}
        return 1024 * int(found["MemAvailable"])
    except (OSError, KeyError, IndexError, ValueError):
        pass  # no Linux
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _container() -> list[int]:
    """What is left of a container's share, if this is one."""
    folder = Path("/sys/fs/cgroup")
    try:
        most = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        return [] if most == "max" else [max(int(most) - used, 0)]
    except (OSError, ValueError):
        return []
