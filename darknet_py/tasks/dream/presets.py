"""Dreams that look good, for any network and a picture of any size: found by looking at many.

A preset says what to dream of by a place in the network, not by a number, and how: in coarse
octaves first, so many that the smallest shows the network a few things alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from darknet_py.errors import DreamError
from darknet_py.network import Network
from darknet_py.network.receptive_field import receptive_fields
from darknet_py.tasks.dream.objective import Choice, can_dream, scores_layer
from darknet_py.tasks.dream.options import DreamOptions

_SMALLEST, _PIXELS = 40, 5
"""Pixels of the smallest octave's shorter side, at least, and of the deepest map there."""
_SHALLOW = 4
"""A network whose deepest map has a pixel for so many of the picture, or fewer, was made for
thumbnails: its last layers see whole things, and its steps are as strong without a pyramid."""


@dataclass(frozen=True)
class Anatomy:
    """Where in a network things are. fine: the last wide layer before the deepest maps, which sees
    textures and eyes; deep: the first wide one of the deepest maps, which sees heads and bodies;
    jump: pixels of the picture for one of the deepest map."""

    fine: int
    deep: int
    jump: int

    @property
    def is_shallow(self) -> bool:
        return self.jump <= _SHALLOW


@dataclass(frozen=True)
class Preset:
    """What to dream of, and how. layers: what each step draws from; None for one that needs a
    class. options: how, but for the octaves, which depend on the picture; shallow: what differs in
    a network that was made for thumbnails."""

    about: str
    options: DreamOptions
    layers: Callable[[Anatomy], Sequence[int]] | None
    shallow: Mapping[str, float] = field(default_factory=dict)


_HOW = DreamOptions(coarse_to_fine=True, octave_scale=1.4, rate=0.01, iters=15)

PRESETS: Mapping[str, Preset] = {
    "creatures": Preset(
        "heads and bodies of what the network knows",
        replace(_HOW, iters=20, laplacian=2),
        lambda net: [net.deep] if net.is_shallow else [net.fine, net.deep, net.deep],
        {"iters": 12, "laplacian": 0},
    ),
    "eyes": Preset(
        "eyes, fur and feathers; much of the picture stays",
        replace(_HOW, iters=20),
        lambda net: range(net.fine, net.fine + 3),
        {"iters": 10},
    ),
    "ornament": Preset(
        "strong patterns all over",
        replace(_HOW, laplacian=3),
        lambda net: [net.fine],
        {"iters": 12, "laplacian": 0},
    ),
    "class": Preset(
        "one class, named by --class",
        replace(_HOW, iters=60, laplacian=3, tv=0.2),
        None,
        {"iters": 15, "laplacian": 1, "tv": 0.05},
    ),
    "zoom": Preset(
        "a way into the picture, round by round: for --gif or --webp",
        replace(_HOW, iters=4, rounds=10, zoom=0.96, rotate=0.03, laplacian=2),
        lambda net: [net.deep] if net.is_shallow else [net.fine, net.deep],
        {"laplacian": 0},
    ),
}


def anatomy(net: Network) -> Anatomy:
    """Where in a network things are, by its cfg alone. Raises DreamError where nothing dreams."""
    stages: dict[int, list[int]] = {}
    body = _body(net)
    seen = receptive_fields(net.layers[: max(body, default=-1) + 1])
    for layer in body:
        stages.setdefault(seen[layer].jump, []).append(layer)
    wide = {jump: found for jump, layers in stages.items() if (found := _wide(net, layers))}
    if not wide:
        raise DreamError(f"{net.path}: no layer of it dreams: expected a convolutional network")
    *before, deepest = sorted(wide)
    deep = wide[deepest][0]
    fine = wide[before[-1]][-1] if before else deep
    return Anatomy(fine, deep, deepest)


def choices_of(net: Network, preset: Preset) -> list[Choice]:
    """The layers that each step draws from, each once for each time that it is in the draw."""
    if preset.layers is None:
        return []
    layers, last = preset.layers(anatomy(net)), _body(net)[-1]
    return [[(min(layer, last), 1.0)] for layer in layers]


def options_of(net: Network, preset: Preset, w: int, h: int) -> DreamOptions:
    """How a network dreams on a picture of `w` x `h` pixels."""
    place = anatomy(net)
    shallow = preset.shallow if place.is_shallow else {}
    options = replace(preset.options, **shallow)  # type: ignore[arg-type]
    room = min(w, h) / max(_SMALLEST, _PIXELS * place.jump)
    octaves = 1 + max(int(math.log(max(room, 1)) / math.log(options.octave_scale)), 0)
    return replace(options, octaves=octaves)


def _body(net: Network) -> list[int]:
    """Layers that make maps a dream can be seen in, up to where it becomes numbers."""
    body = []
    for index, layer in enumerate(net.layers):
        if layer.kind in ("avgpool", "connected", "local") or layer.is_vector:
            break
        if can_dream(net, index) and layer.kind not in ("dropout", "crop"):
            body.append(index)
    scores = scores_layer(net)
    if scores is not None and len(body) > 1 and net.layers[body[-1]].out_shape.c == net.outputs:
        body.pop()  # a map for each class
    return body


def _wide(net: Network, layers: Sequence[int]) -> list[int]:
    """Those of a stage with more than half as many channels as any: no pooling, no bottleneck."""
    own = [i for i in layers if net.layers[i].kind != "maxpool"]
    most = max((net.layers[i].out_shape.c for i in own), default=0)
    return [i for i in own if 2 * net.layers[i].out_shape.c > most]
