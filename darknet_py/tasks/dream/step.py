"""One step of a dream: something drawn, looked at, and made a little more of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darknet_py.images import (
    View,
    from_view,
    level_details,
    moments,
    to_view,
    variation_delta,
    with_colors_of,
)
from darknet_py.network import Network
from darknet_py.network.targets import Target
from darknet_py.tasks.dream.options import DreamOptions, octave_size
from darknet_py.tasks.dream.tiles import tiled_delta

Image = npt.NDArray[np.float32]

_SHIFT, _JITTER = 8, 32
"""Pixels that the picture is moved by at most: the C program's, and google/deepdream's."""
_GREY, _PULL = 0.5, 0.1
"""Where each step pulls the picture, and how strongly."""


@dataclass(frozen=True)
class Draw:
    """What chance decides for a step: the number of a choice, of an octave, pixels that the picture
    is moved by, whether it is mirrored."""

    choice: int
    octave: int
    dx: int
    dy: int
    flip: bool


def draw(rng: np.random.Generator, choices: int, options: DreamOptions) -> Draw:
    """In the C program's order; shifts are from -8 to 7, as there, or from -32 to 31."""
    octaves, shift = (1, _JITTER) if options.coarse_to_fine else (options.octaves, _SHIFT)
    choice, octave = int(rng.integers(choices)), int(rng.integers(octaves))
    dx, dy = (int(by) for by in rng.integers(-shift, shift, 2))
    return Draw(choice, octave, dx, dy, bool(rng.integers(2)))


@dataclass(frozen=True)
class Scene:
    """What is dreamed on: pictures (h, w, c), values 0..1, all of one size.

    colors_of: a picture whose colours are kept. mask: (h, w, 1), how much of each step a pixel
    takes.
    """

    picture: Image
    colors_of: Image | None = None
    mask: Image | None = None


def dream_step(
    net: Network,
    scene: Scene,
    targets: Sequence[Target],
    drawn: Draw,
    options: DreamOptions,
    tile: int = 0,
) -> Image:
    """The picture after one step; tile: in tiles of about so many pixels, 0: as a whole.

    Source: optimize_picture of the C program's nightmare.c; of what goes from coarse to fine,
    make_step of google/deepdream's notebook, whose gradient pulls as strongly whatever the layer.
    """
    h, w, _ = scene.picture.shape
    size = net.next_size(*octave_size(w, h, drawn.octave, options.octave_scale))
    view = View(*size, drawn.dx, drawn.dy, drawn.flip, wrap=options.coarse_to_fine)
    step = delta_at(net, scene.picture, targets, view, tile)
    if options.laplacian:
        step = level_details(step, options.laplacian)
    if options.coarse_to_fine:
        step *= np.float32(1 / (moments(step)[1] or 1))
    # step + _PULL * (_GREY - picture), with no array beside it
    step *= np.float32(1 / _PULL)
    step -= scene.picture
    step += np.float32(_GREY)
    if options.norm:
        mean, deviation = moments(step)
        step -= np.float32(mean)
        step *= np.float32(1 / deviation if deviation > 0 else 1)
    else:
        step *= np.float32(_PULL)
    if options.tv:
        step += np.float32(options.tv) * variation_delta(scene.picture)
    step *= np.float32(options.rate)
    if scene.mask is not None:
        step *= scene.mask
    step += scene.picture
    np.clip(step, 0, 1, out=step)
    return step if scene.colors_of is None else with_colors_of(step, scene.colors_of)


def delta_at(
    net: Network, picture: Image, targets: Sequence[Target], view: View, tile: int
) -> Image:
    """The delta of the picture moved, scaled and mirrored, and brought back to its place."""
    h, w, _ = picture.shape
    x = to_view(picture, view)
    found = tiled_delta(net, x, targets, tile) if tile else net.delta_towards(x, targets)
    return from_view(found, view, w, h)


def scaled(image: Image, w: int, h: int) -> Image:
    """A picture (h, w, c) of another size."""
    return np.ascontiguousarray(to_view(image, View(w, h)).transpose(1, 2, 0))


def scene_at(scene: Scene, w: int, h: int) -> Scene:
    """All of a scene, of another size."""
    colors, mask = (
        None if part is None else scaled(part, w, h) for part in (scene.colors_of, scene.mask)
    )
    return Scene(scaled(scene.picture, w, h), colors, mask)
