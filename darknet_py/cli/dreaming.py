"""A dream on the command line, from files to files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.console import say_line
from darknet_py.cli.dream_output import Output, check_files
from darknet_py.cli.dream_request import (
    Request,
    files_of,
    ingredients_of,
    noise_size,
    read_request,
    resolve_preset,
    target_of,
)
from darknet_py.cli.options import (
    NetworkOptions,
    chosen_threads,
    find_file,
    load_weights,
    read_network,
    say_network,
)
from darknet_py.cli.predictions import class_names
from darknet_py.cli.progress import Progress
from darknet_py.tasks.dream.options import DreamOptions

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.dream.estimate import DreamMemory, Forecast
    from darknet_py.tasks.dream.options import DreamOptions
    from darknet_py.tasks.dream.recipe import Recipe
    from darknet_py.tasks.dream.step import Image, Scene
    from darknet_py.tasks.nightmare import Event


def dream(arguments: Sequence[str], flags: DreamOptions, network: NetworkOptions) -> None:
    """Does what was asked for; prints the names of the pictures that are written."""
    context = click.get_current_context()
    wanted = read_request(context, arguments, flags)
    check_files(wanted)
    work = prepare(wanted, network)
    request = work.request
    values = ingredients_of(context, request, work.resolved)
    out = Output(request, _recipe(values, request))
    with closing(work.progress):
        for event in work.events:
            out.take(event)
            work.progress.show(event)
            out.say(event)
    out.finish()
    if request.is_default and not network.quiet:
        say_line(_suggestion(request), err=True)


def _suggestion(request: Request) -> str:
    how = f", --preset {request.preset}" if request.preset else ""
    return f"{request.picture}, dreamed on by {request.cfg}{how}: try a picture of your own"


def _recipe(values: Mapping[str, Any], request: Request) -> Recipe:
    from darknet_py import __version__
    from darknet_py.tasks.dream.recipe import Recipe, digests_of, plain_name

    files = files_of(request)
    names = {what: plain_name(name) for what, name in files.items()}
    return Recipe(values, request.layer, names, digests_of(files), __version__)


class DreamProgress:
    """A dream's steps: a bar on a terminal, the C program's lines elsewhere."""

    def __init__(self, rounds: int, iters: int, quiet: bool) -> None:
        self._rounds, self._iters, self._done = rounds, iters, 0
        self._lines = not quiet and not sys.stderr.isatty()
        self._bar = Progress(rounds * iters, shown=not quiet)
        self._is_open = False

    def show(self, event: Event) -> None:
        """Takes note of an event."""
        from darknet_py.tasks.nightmare import Stepped

        self._is_open = self._lines and isinstance(event, Stepped)
        if isinstance(event, Stepped):
            number, step = divmod(self._done, self._iters)
            self._done += 1
            what = f"round {number + 1}/{self._rounds}  iteration {step + 1}/{self._iters}"
            self._bar.show(self._done, what)
            if self._lines:
                start = "Iteration: " if event.iteration == 0 else ""
                say_line(f"{start}{event.iteration}, ", err=True, end="")
        else:
            self._bar.clear()
            if self._lines:
                say_line("done", err=True)

    def close(self) -> None:
        """Ends a line that an interruption has left, so that what is said next has its own."""
        self._bar.close()
        if self._is_open:
            say_line(err=True)
        self._is_open = False


@dataclass(frozen=True)
class Work:
    """What is about to run. request: with what its preset says; resolved: options whose values were
    found out on the way."""

    request: Request
    events: Iterator[Event]
    progress: DreamProgress
    resolved: dict[str, Any]


Approve = Callable[["Forecast"], None]


def prepare(
    request: Request,
    network: NetworkOptions,
    rounds: int | None = None,
    approve: Approve | None = None,
) -> Work:
    """Everything that can go wrong goes wrong here, before the first step. approve: told what would
    be done, before weights are loaded; may raise."""
    from darknet_py.tasks.dream.objective import check_depth

    threads = chosen_threads(network.threads)
    network = replace(network, threads=threads)
    net = read_network(request.cfg, network)
    check_depth(net)
    scene = _scene(request, net)
    h, w, _ = scene.picture.shape
    request = resolve_preset(request, net, w, h)
    flags = request.flags
    options = replace(flags, rounds=rounds or flags.rounds)
    device = net.ops.__name__.rsplit(".", 1)[-1]
    resolved: dict[str, Any] = {"threads": threads, "device": device}
    if flags.sheet:
        return _sheet(request, network, net, scene, options, resolved, approve)
    from darknet_py.tasks.dream.estimate import DreamMemory, Forecast, dream_seconds, shapes_of
    from darknet_py.tasks.dream.objective import choices, class_number, last_layer, targets
    from darknet_py.tasks.nightmare import check_sizes, nightmare, octaves_that_fit, reconstruct

    target = target_of(request)
    found = choices(net, target)
    if target.label is not None:
        net.weights_path = find_file(request.weights)  # names may lie beside them
        names = [] if isinstance(target.label, int) else class_names(net, request.names)
        target = replace(target, label=class_number(net, target.label, names))
        resolved["label"] = target.label
    net = net.truncated(last_layer(found))
    if flags.reconstruct:
        options = replace(options, octaves=1, coarse_to_fine=False)
    if request.preset and "octaves" not in request.given:
        options = replace(options, octaves=octaves_that_fit(net, w, h, options))
        resolved["octaves"] = options.octaves
    check_sizes(net, w, h, options)
    guide = _load(flags.guide, net) if flags.guide else None
    shapes = shapes_of(net, found, target.label is not None, guide)
    memory = DreamMemory(net, w, h, shapes, options)
    tile = resolved["tile"] = _tile(flags, memory)
    needed = memory.forecast(tile)
    if approve is not None:
        seconds = dream_seconds(net, w, h, shapes, options, tile, threads)
        approve(Forecast(w, h, options.rounds, options.steps, seconds, needed))
    say_network(net, network)
    if not network.quiet:
        _say_memory(memory, tile, needed)
    load_weights(net, find_file(request.weights), network)
    if flags.reconstruct:
        assert request.layer is not None
        events = reconstruct(net, scene.picture, request.layer, options)
    else:
        wanted = targets(net, target, found, guide)
        events = nightmare(net, scene, wanted, options, tile)
    return Work(
        request, events, DreamProgress(options.rounds, options.steps, network.quiet), resolved
    )


def _sheet(
    request: Request,
    network: NetworkOptions,
    net: Network,
    scene: Scene,
    options: DreamOptions,
    resolved: dict[str, Any],
    approve: Approve | None,
) -> Work:
    from darknet_py.errors import DreamError
    from darknet_py.tasks.dream.estimate import DreamMemory, Forecast, dream_seconds, shapes_of
    from darknet_py.tasks.dream.sheet import sheet, thumbnails, usable_layers
    from darknet_py.tasks.nightmare import Finished, Stepped

    picture = scene.picture
    h, w, _ = picture.shape
    layers = usable_layers(net, w, h)
    if not layers:
        raise DreamError(f"{net.path}: no layer can dream on a picture of {w} x {h}")
    net = net.truncated(layers[-1])
    if approve is not None:
        # a round for each layer, at the picture's own scale, which is the largest
        each = replace(options, rounds=len(layers), iters=options.steps, octaves=1)
        shapes = shapes_of(net, [[(layer, 1.0)] for layer in layers], False, None)
        seconds = dream_seconds(net, w, h, shapes, each, 0, resolved["threads"])
        needed = DreamMemory(net, w, h, shapes[-1:], each).forecast()
        approve(Forecast(w, h, len(layers), each.steps, seconds, needed))
    say_network(net, network)
    load_weights(net, find_file(request.weights), network)

    def events() -> Iterator[Event]:
        found = []
        for thumbnail in thumbnails(net, picture, layers, options, request.flags.thresh):
            found.append(thumbnail)
            yield Stepped(0, len(found) - 1)
        yield Finished(0, sheet(picture, found))

    return Work(request, events(), DreamProgress(1, len(layers), network.quiet), resolved)


def _tile(flags: DreamOptions, memory: DreamMemory) -> int:
    """Pixels of a tile, 0 for none."""
    from darknet_py.tasks.dream.estimate import free_memory

    if flags.tile is not None:
        return flags.tile
    if flags.reconstruct:
        return 0
    limit = int(flags.memory * 2**30) if flags.memory else free_memory(memory.net)
    return memory.choose_tile(limit)


def _say_memory(memory: DreamMemory, tile: int, needed: int) -> None:
    """What memory the dream will take, in bytes, and whether its tiles are seen."""
    from darknet_py.tasks.dream.tiles import exact_tile

    parts = f", in tiles of {tile} x {tile}" if tile else ""
    say_line(f"memory: about {needed / 2**20:,.0f} MB{parts}", err=True)
    most = max(memory.w, memory.h)
    if tile and tile < most:
        exact = max(exact_tile(memory.net, choice, most) for choice in memory.choices)
        if tile < exact:
            say_line(
                f"warning: tiles differ a little where they meet: from --tile {exact} on they "
                "do not",
                err=True,
            )


def _scene(request: Request, net: Network) -> Scene:
    import numpy as np

    from darknet_py.images import resize_image
    from darknet_py.tasks.dream.reconstruct import noise
    from darknet_py.tasks.dream.sheet import thumbnail_of
    from darknet_py.tasks.dream.step import Scene

    flags = request.flags
    picture = None if request.picture is None else _load(request.picture, net)
    colors = picture
    if flags.start == "noise":
        w, h = noise_size(flags) if picture is None else (picture.shape[1], picture.shape[0])
        picture = noise(np.random.default_rng((flags.seed, 1)), h, w, net.in_shape.c)
    assert picture is not None
    if flags.sheet:
        return Scene(thumbnail_of(picture))
    mask = None
    if flags.mask:
        h, w, _ = picture.shape
        mask = resize_image(_load(flags.mask, net), w, h).mean(axis=2, keepdims=True)
    return Scene(picture, colors if flags.keep_colours else None, mask)


def _load(name: str, net: Network) -> Image:
    from darknet_py.errors import DreamError
    from darknet_py.images import load_image, to_channels

    c = net.in_shape.c
    if net.settings.is_vector or c not in (1, 3):
        raise DreamError(f"{net.path}: takes {net.in_shape}: pictures have 1 or 3 channels")
    return to_channels(load_image(find_file(name)), c)
