"""Dreams: a picture made more of what a network sees in it, round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from darknet_py.errors import DreamError, ShapeError
from darknet_py.images import crop_image, resize_image, rotate_image
from darknet_py.network import Network
from darknet_py.network.targets import Target
from darknet_py.tasks.dream.options import DreamOptions, octave_size
from darknet_py.tasks.dream.reconstruct import Reconstruction
from darknet_py.tasks.dream.step import Image, Scene, draw, dream_step, scaled, scene_at


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


def check_sizes(net: Network, w: int, h: int, options: DreamOptions) -> None:
    """Raises DreamError where a picture of `w` x `h` pixels is too small for one of the octaves,
    ShapeError where the network cannot take it at all."""
    for octave in range(options.octaves):
        size = octave_size(w, h, octave, options.octave_scale)
        try:
            if not all(size):
                raise ShapeError("nothing is left")
            fitting = net.next_size(*size)
            # not so much larger than this scale that it is nearer to the one above
            most = (1 + options.octave_scale) / 2 if octave else 1.5
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
            small_w, small_h = octave_size(w, h, options.octaves - 1, options.octave_scale)
            raise DreamError(
                f"a picture of {w} x {h} is too small for {options.octaves} octaves, the smallest "
                f"of which is {small_w} x {small_h}: take -octaves {octave} ({error})"
            ) from error


def octaves_that_fit(net: Network, w: int, h: int, options: DreamOptions) -> int:
    """As many of the octaves as a picture of `w` x `h` pixels has room for; 1 at least."""
    for octave in range(1, options.octaves):
        size = octave_size(w, h, octave, options.octave_scale)
        try:
            if not all(size):
                return octave
            net.next_size(*size)
        except ShapeError:
            return octave
    return options.octaves


def nightmare(
    net: Network,
    scene: Scene,
    choices: Sequence[Sequence[Target]],
    options: DreamOptions,
    tile: int = 0,
) -> Iterator[Event]:
    """Dreams on a scene: `iters` steps a round, each towards one of the choices, and a picture
    after each; between rounds all is turned and zoomed.

    tile: in tiles of about so many pixels; 0: as a whole.
    """
    rng = np.random.default_rng(options.seed)
    dream = _coarse_to_fine if options.coarse_to_fine else _steps

    def step(scene: Scene) -> Image:
        drawn = draw(rng, len(choices), options)
        return dream_step(net, scene, choices[drawn.choice], drawn, options, tile)

    for number in range(options.rounds):
        picture = scene.picture
        for iteration, stepped in enumerate(dream(scene, step, options)):
            picture = stepped
            yield Stepped(number, iteration)
        yield Finished(number, picture)
        scene = Scene(
            _onwards(picture, options),
            None if scene.colors_of is None else _onwards(scene.colors_of, options),
            scene.mask,
        )


def _steps(scene: Scene, step: Callable[[Scene], Image], options: DreamOptions) -> Iterator[Image]:
    """The picture after each step of a round."""
    for _ in range(options.iters):
        scene = replace(scene, picture=step(scene))
        yield scene.picture


def _coarse_to_fine(
    scene: Scene, step: Callable[[Scene], Image], options: DreamOptions
) -> Iterator[Image]:
    """The same at each scale, from the smallest to the scene's own; what has been added to one is
    added to the next. The last picture is of the scene's size.

    Source: deepdream of google/deepdream's notebook.
    """
    h, w, _ = scene.picture.shape
    scales = [scene]
    for octave in range(1, options.octaves):
        scales.append(scene_at(scales[-1], *octave_size(w, h, octave, options.octave_scale)))
    detail = np.zeros_like(scales[-1].picture)
    for plain in reversed(scales):
        h, w, _ = plain.picture.shape
        begun = np.clip(plain.picture + scaled(detail, w, h), 0, 1)
        end = begun
        for picture in _steps(replace(plain, picture=begun), step, options):
            end = picture
            yield picture
        detail = end - plain.picture


def reconstruct(net: Network, source: Image, layer: int, options: DreamOptions) -> Iterator[Event]:
    """Finds `source` again from what a layer sees in it; a picture after each round."""
    found = Reconstruction(net, source, layer, options)
    for number in range(options.rounds):
        for iteration in range(options.iters):
            found.step()
            yield Stepped(number, iteration)
        yield Finished(number, found.picture)
        found.picture = _onwards(found.picture, options)


def _onwards(image: Image, options: DreamOptions) -> Image:
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
