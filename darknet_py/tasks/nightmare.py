"""Dreams: a picture made more of what a network sees in it, round by round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.errors import DreamError, ShapeError
from darknet_py.images import crop_image, resize_image, rotate_image
from darknet_py.network import Network
from darknet_py.network.targets import Target
from darknet_py.tasks.dream.options import SHRINK, Options, octave_size
from darknet_py.tasks.dream.reconstruct import Reconstruction
from darknet_py.tasks.dream.step import Image, Scene, draw, dream_step


@dataclass(frozen=True)
class Stepped:
    """One step is done: the round's number and the step's, both from 0."""

    round: int
    iteration: int


@dataclass(frozen=True)
class Finished:
    """A round is done, and this is its picture: (h, w, c), values 0..1."""

    round: int
    picture: Image


Event = Stepped | Finished


_STRETCH = (1 + 1 / SHRINK) / 2
"""How much larger than a scale of the picture what the network sees of it may be: not so much that
it is nearer to the scale above."""


def check_sizes(net: Network, w: int, h: int, options: Options) -> None:
    """Raises DreamError where a picture of `w` x `h` pixels is too small for one of the octaves,
    ShapeError where the network cannot take it at all."""
    for octave in range(options.octaves):
        size = octave_size(w, h, octave)
        try:
            if not all(size):
                raise ShapeError("nothing is left")
            fitting = net.next_size(*size)
            most = _STRETCH if octave else 1.5
            if any(one >= most * other for one, other in zip(fitting, size, strict=True)):
                net.resized(*size)  # says what does not fit
            if fitting != size:
                net.note(
                    f"{net.path}: does not take pictures of every size: it sees this one stretched "
                    "to the next one that fits, at some scales"
                )
        except ShapeError as error:
            if octave == 0:
                raise
            small_w, small_h = octave_size(w, h, options.octaves - 1)
            raise DreamError(
                f"a picture of {w} x {h} is too small for {options.octaves} octaves, the smallest "
                f"of which is {small_w} x {small_h}: take -octaves {octave} ({error})"
            ) from error


def nightmare(
    net: Network,
    scene: Scene,
    choices: Sequence[Sequence[Target]],
    options: Options,
    tile: int = 0,
) -> Iterator[Event]:
    """Dreams on a scene: `iters` steps a round, each towards one of the choices, and a picture
    after each; between rounds all is turned and zoomed.

    tile: in tiles of about so many pixels; 0: as a whole.
    """
    rng = np.random.default_rng(options.seed)
    for number in range(options.rounds):
        for iteration in range(options.iters):
            drawn = draw(rng, len(choices), options.octaves)
            picture = dream_step(net, scene, choices[drawn.choice], drawn, options, tile)
            scene = Scene(picture, scene.colors_of, scene.mask)
            yield Stepped(number, iteration)
        yield Finished(number, scene.picture)
        scene = Scene(
            _onwards(scene.picture, options),
            None if scene.colors_of is None else _onwards(scene.colors_of, options),
            scene.mask,
        )


def reconstruct(net: Network, source: Image, layer: int, options: Options) -> Iterator[Event]:
    """Finds `source` again from what a layer sees in it; a picture after each round."""
    found = Reconstruction(net, source, layer, options)
    for number in range(options.rounds):
        for iteration in range(options.iters):
            found.step()
            yield Stepped(number, iteration)
        yield Finished(number, found.picture)
        found.picture = _onwards(found.picture, options)


def _onwards(image: Image, options: Options) -> Image:
    """Turned and zoomed for the next round: a zoom of .99 shows the middle 99 % of it."""
    h, w, _ = image.shape
    if options.rotate:
        image = rotate_image(image, options.rotate)
    if options.zoom == 1:
        return image
    left, top = int(w * (1 - options.zoom) / 2), int(h * (1 - options.zoom) / 2)
    part = crop_image(
        image, left, top, max(int(w * options.zoom), 1), max(int(h * options.zoom), 1)
    )
    return resize_image(part, w, h)
