"""A dream on the command line, from files to files."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.dream_options import Asked
from darknet_py.cli.dream_progress import Progress
from darknet_py.cli.dream_request import (
    Request,
    command_line,
    noise_size,
    options_of,
    read_request,
    wish_of,
)
from darknet_py.cli.options import (
    Chosen,
    chosen_threads,
    find_file,
    load_weights,
    read_network,
    say_network,
)

if TYPE_CHECKING:
    import numpy as np

    from darknet_py.network import Network
    from darknet_py.tasks.dream.recipe import Recipe
    from darknet_py.tasks.dream.step import Image, Scene
    from darknet_py.tasks.nightmare import Event

_FRAME = 100
"""Milliseconds that a round is seen in an animation."""


def dream(arguments: Sequence[str], asked: Asked, chosen: Chosen) -> None:
    """Does what was asked for; prints the names of the pictures that are written."""
    request = read_request(arguments, asked)
    work = _prepare(request, chosen)
    words = command_line(click.get_current_context(), request, work.resolved)
    out = _Output(request, _recipe(words, request))
    with closing(work.progress):
        for event in work.events:
            out.take(event)
            work.progress.show(event)
            out.say(event)
    out.finish()
    if request.is_default and not chosen.quiet:
        click.echo(f"{request.picture} as layer {request.layer} of {request.cfg} sees it", err=True)


def replay(asked: Asked, chosen: Chosen) -> None:
    """Makes a picture again, and says whether it is the same byte for byte; else exits with 1."""
    from darknet_py.errors import DreamError
    from darknet_py.images import save_image
    from darknet_py.tasks.dream.recipe import check_digests, read_recipe
    from darknet_py.tasks.nightmare import Finished

    path = Path(asked.replay or "")
    recipe = read_recipe(path)
    out = Path(asked.output or f"{path.stem}_again.png")
    if out.exists() and os.path.samefile(out, path):
        raise DreamError(f"{out}: is the picture that is to be made again: name another with -o")
    request, then = _understood(path, recipe)
    check_digests(recipe, _files(request))
    work = _prepare(request, replace(then, quiet=chosen.quiet), rounds=recipe.round + 1)
    picture = None
    with closing(work.progress):
        for event in work.events:
            work.progress.show(event)
            if isinstance(event, Finished):
                picture = event.picture
    assert picture is not None
    save_image(picture, out, **recipe.words())
    if out.read_bytes() != path.read_bytes():
        click.echo(f"darknet: {out} is not equal to {path}: another device or version", err=True)
        click.get_current_context().exit(1)
    click.echo(f"{out}: equal to {path}, byte for byte")


def _understood(path: Path, recipe: Recipe) -> tuple[Request, Chosen]:
    """A recipe's command, read as if it had been typed. Raises DreamError."""
    from darknet_py.errors import DreamError

    command = click.get_current_context().command
    try:
        program, name, *words = shlex.split(recipe.command)
        if (program, name) != ("darknet", "nightmare") or {"-h", "--help"} & set(words):
            raise ValueError("it makes no picture")
        params: dict[str, Any] = command.make_context("nightmare", words).params
        chosen = Chosen(**{field.name: params.pop(field.name) for field in fields(Chosen)})
        asked = Asked(**{field.name: params.pop(field.name) for field in fields(Asked)})
        if not 0 <= recipe.round < asked.rounds:
            raise ValueError(f"there is no round {recipe.round}")
        return read_request(params["arguments"], replace(asked, replay=None)), chosen
    except (ValueError, click.ClickException) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise DreamError(f"{path}: its recipe is not understood: {reason}") from error


def _files(request: Request) -> dict[str, str]:
    """What goes into a picture, by what it is."""
    asked = request.asked
    given = {
        "cfg": request.cfg,
        "weights": request.weights,
        "source": request.picture,
        "guide": asked.guide,
        "mask": asked.mask,
    }
    return {what: find_file(name) for what, name in given.items() if name is not None}


def _recipe(words: str, request: Request) -> Recipe:
    from darknet_py import __version__
    from darknet_py.tasks.dream.recipe import Recipe, digests_of

    return Recipe(words, __version__, request.asked.seed, 0, digests_of(_files(request)))


@dataclass(frozen=True)
class _Work:
    """What is about to run. resolved: options whose values were found out on the way."""

    events: Iterator[Event]
    progress: Progress
    resolved: dict[str, Any]


def _prepare(request: Request, chosen: Chosen, rounds: int | None = None) -> _Work:
    """Everything that can go wrong goes wrong here, before the first step."""
    asked = request.asked
    chosen = replace(chosen, threads=chosen_threads(chosen.threads))
    net = read_network(request.cfg, chosen)
    options = replace(options_of(asked), rounds=rounds or asked.rounds)
    device = chosen.device if chosen.device != "auto" else net.ops.__name__.rsplit(".", 1)[-1]
    resolved: dict[str, Any] = {"threads": chosen.threads, "device": device}
    if asked.sheet:
        return _sheet(request, chosen, net, options, resolved)
    from darknet_py.tasks.dream.objective import choices, find_class, last_layer, targets
    from darknet_py.tasks.names import choose_names
    from darknet_py.tasks.nightmare import check_sizes, nightmare, reconstruct

    wish = wish_of(request)
    found = choices(net, wish)
    names: list[str] = []
    if wish.label is not None:
        names = choose_names(request.names, net.outputs)
        find_class(wish.label, names)
    net = net.upto(last_layer(found))
    say_network(net, chosen)
    scene = _scene(request, net)
    h, w, _ = scene.picture.shape
    if asked.reconstruct:
        options = replace(options, octaves=1)
    check_sizes(net, w, h, options)
    layers = [max(layer for layer, _ in choice) for choice in found]
    resolved["tile"] = _tile(request, net, (w, h), layers, options.octaves, chosen)
    guide = _load(asked.guide, net) if asked.guide else None
    load_weights(net, find_file(request.weights), chosen)
    if asked.reconstruct:
        assert request.layer is not None
        events = reconstruct(net, scene.picture, request.layer, options)
    else:
        wanted = targets(net, wish, found, names, guide)
        events = nightmare(net, scene, wanted, options, resolved["tile"])
    return _Work(events, Progress(options.rounds, options.iters, chosen.quiet), resolved)


def _sheet(
    request: Request, chosen: Chosen, net: Network, options: Any, resolved: dict[str, Any]
) -> _Work:
    from darknet_py.errors import DreamError
    from darknet_py.tasks.dream.sheet import sheet, thumbnail_of, thumbnails, usable_layers
    from darknet_py.tasks.nightmare import Finished, Stepped

    picture = thumbnail_of(_scene(request, net).picture)
    h, w, _ = picture.shape
    layers = usable_layers(net, w, h)
    if not layers:
        raise DreamError(f"{net.path}: no layer can dream on a picture of {w} x {h}")
    net = net.upto(layers[-1])
    say_network(net, chosen)
    load_weights(net, find_file(request.weights), chosen)

    def events() -> Iterator[Event]:
        found = []
        for thumbnail in thumbnails(net, picture, layers, options, request.asked.thresh):
            found.append(thumbnail)
            yield Stepped(0, len(found) - 1)
        yield Finished(0, sheet(picture, found))

    return _Work(events(), Progress(1, len(layers), chosen.quiet), resolved)


def _tile(
    request: Request,
    net: Network,
    size: tuple[int, int],
    layers: Sequence[int],
    octaves: int,
    chosen: Chosen,
) -> int:
    """Pixels of a tile, 0 for none; says what memory the dream will take."""
    from darknet_py.tasks.dream.memory import choose_tile, forecast, free_memory

    asked = request.asked
    limit = int(asked.memory * 2**30) if asked.memory else free_memory()
    tile = asked.tile
    if tile is None:
        tile = 0 if asked.reconstruct else choose_tile(net, *size, layers, octaves, limit)
    if not chosen.quiet:
        megabytes = forecast(net, *size, layers, octaves, tile) / 2**20
        parts = f", in tiles of {tile} x {tile}" if tile else ""
        click.echo(f"memory: about {megabytes:,.0f} MB{parts}", err=True)
    return tile


def _scene(request: Request, net: Network) -> Scene:
    import numpy as np

    from darknet_py.images import resize_image
    from darknet_py.tasks.dream.reconstruct import noise
    from darknet_py.tasks.dream.step import Scene

    asked = request.asked
    picture = None if request.picture is None else _load(request.picture, net)
    colors = picture
    if asked.start == "noise":
        w, h = noise_size(asked) if picture is None else (picture.shape[1], picture.shape[0])
        picture = noise(np.random.default_rng((asked.seed, 1)), h, w, net.in_shape.c)
    assert picture is not None
    mask = None
    if asked.mask:
        h, w, _ = picture.shape
        mask = resize_image(_load(asked.mask, net), w, h).mean(axis=2, keepdims=True)
    return Scene(picture, colors if asked.keep_colours else None, mask)


def _load(name: str, net: Network) -> Image:
    from darknet_py.errors import DreamError
    from darknet_py.images import load_image, to_channels

    c = net.in_shape.c
    if net.settings.is_vector or c not in (1, 3):
        raise DreamError(f"{net.path}: takes {net.in_shape}: pictures have 1 or 3 channels")
    return to_channels(load_image(find_file(name)), c)


class _Output:
    """Writes rounds, and the animations at the end."""

    def __init__(self, request: Request, recipe: Recipe) -> None:
        from darknet_py.errors import DreamError
        from darknet_py.images import check_name

        self._request, self._recipe = request, recipe
        self._frames: list[np.ndarray] = []
        asked = request.asked
        self._animations = [
            (name, kind) for name, kind in ((asked.gif, "GIF"), (asked.webp, "WEBP")) if name
        ]
        if asked.output:
            check_name(asked.output)
        inputs = _files(request).values()
        for name in filter(None, (asked.output, asked.gif, asked.webp)):
            if any(os.path.exists(name) and os.path.samefile(name, one) for one in inputs):
                raise DreamError(f"{name}: would be overwritten, and the dream begins with it")
            if not Path(name).absolute().parent.is_dir():
                raise DreamError(f"{name}: cannot be written: there is no such folder")
        self._folder = Path(asked.prefix or ".")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise DreamError(f"{self._folder}: cannot be a folder: {reason}") from error

    def take(self, event: Event) -> None:
        """Writes a round's picture."""
        from darknet_py.images import save_image, to_pixels
        from darknet_py.tasks.nightmare import Finished

        if not isinstance(event, Finished):
            return
        if self._animations:
            self._frames.append(to_pixels(event.picture))
        path = self._path(event.round)
        if path is not None:
            save_image(event.picture, path, **replace(self._recipe, round=event.round).words())

    def say(self, event: Event) -> None:
        """Prints what was written."""
        from darknet_py.tasks.nightmare import Finished

        if isinstance(event, Finished) and (path := self._path(event.round)) is not None:
            click.echo(path)

    def finish(self) -> None:
        """Writes the animations."""
        from darknet_py.images import save_animation

        for name, kind in self._animations:
            save_animation(self._frames, name, kind, _FRAME)
            click.echo(name)

    def _path(self, number: int) -> Path | None:
        request, asked = self._request, self._request.asked
        rounds = 1 if asked.sheet else asked.rounds
        if asked.output:
            return Path(asked.output) if number == rounds - 1 else None
        title = "sheet" if asked.sheet else wish_of(request).title
        source = Path(request.picture).stem if request.picture else "noise"
        name = f"{source}_{Path(request.cfg).stem}_{title}"
        return self._folder / (f"{name}.png" if asked.sheet else f"{name}_{number:06d}.png")
