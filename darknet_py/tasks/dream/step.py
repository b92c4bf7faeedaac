"""One step of a dream: something drawn, looked at, and made a little more of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darknet_py.images import (
    crop_image,
    flip_image,
    level_details,
    resize_image,
    variation_delta,
    with_colors_of,
)
from darknet_py.network import Network
from darknet_py.network.targets import Target
from darknet_py.tasks.dream.options import Options, octave_size
from darknet_py.tasks.dream.tiles import tiled_delta

Image = npt.NDArray[np.float32]

_SHIFT = 8
"""Pixels that the picture is moved by at most."""
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


def draw(rng: np.random.Generator, choices: int, octaves: int) -> Draw:
    """In the C program's order; shifts are from -8 to 7, as there."""
    choice, octave = int(rng.integers(choices)), int(rng.integers(octaves))
    dx, dy = (int(shift) for shift in rng.integers(-_SHIFT, _SHIFT, 2))
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
    options: Options,
    tile: int = 0,
) -> Image:
    """The picture after one step; tile: in tiles of about so many pixels, 0: as a whole.

    Source: optimize_picture of the C program's nightmare.c.
    """
    step = delta_at(net, scene.picture, targets, drawn, tile)
    if options.laplacian:
        step = level_details(step, options.laplacian)
    step += _PULL * _GREY
    step -= _PULL * scene.picture
    if options.norm:
        _normalise(step)
    if options.tv:
        step += np.float32(options.tv) * variation_delta(scene.picture)
    step *= np.float32(options.rate)
    if scene.mask is not None:
        step *= scene.mask
    step += scene.picture
    np.clip(step, 0, 1, out=step)
    return step if scene.colors_of is None else with_colors_of(step, scene.colors_of)


def delta_at(
    net: Network, picture: Image, targets: Sequence[Target], drawn: Draw, tile: int
) -> Image:
    """The delta of the picture moved, scaled and mirrored, and brought back to its place."""
    h, w, _ = picture.shape
    x = _seen(picture, drawn)
    found = tiled_delta(net, x, targets, tile) if tile else net.delta_towards(x, targets)
    delta = found.transpose(1, 2, 0)
    back = flip_image(delta) if drawn.flip else delta
    return crop_image(_scaled(back, w, h), -drawn.dx, -drawn.dy, w, h)


def _seen(picture: Image, drawn: Draw) -> Image:
    """What the network is shown: (c, h, w)."""
    h, w, _ = picture.shape
    moved = crop_image(picture, drawn.dx, drawn.dy, w, h)
    small = _scaled(moved, *octave_size(w, h, drawn.octave))
    return np.ascontiguousarray((flip_image(small) if drawn.flip else small).transpose(2, 0, 1))


def _scaled(image: Image, w: int, h: int) -> Image:
    """resize_image without its one fault: a last row that may come out black would be dreamed
    on."""
    if image.shape[:2] == (h, w):
        return image
    scaled = resize_image(image, w, h)
    scaled[-1] = resize_image(image[-1:], w, 1)[0]
    return scaled


def _normalise(step: Image) -> None:
    """To mean 0 and deviation 1, in place; what is the same everywhere stays."""
    mean = float(step.mean(dtype=np.float64))
    step -= np.float32(mean)
    # row by row: in doubles, the whole would be the largest array there is
    squares = sum(float(np.square(row, dtype=np.float64).sum()) for row in step)
    if squares > 0:
        step /= np.float32((squares / step.size) ** 0.5)
