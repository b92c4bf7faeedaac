"""A whole dream, from what is asked for to its pictures: what `darknet nightmare` and
`darknet_py.nightmare` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from darknet_py.errors import DreamError
from darknet_py.images import Given, load_image, resize_image, to_channels, to_image
from darknet_py.network import Network
from darknet_py.options import (
    File,
    Whole,
    check_function,
    keywords_of,
    read_argument,
    read_keywords,
    takes,
)
from darknet_py.resources import EMBEDDED, find_resource
from darknet_py.tasks.dream.estimate import (
    DreamMemory,
    Forecast,
    dream_seconds,
    free_memory,
    shapes_of,
)
from darknet_py.tasks.dream.objective import (
    check_depth,
    choices,
    class_number,
    last_layer,
    targets,
)
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.reconstruct import noise
from darknet_py.tasks.dream.request import (
    Request,
    check_request,
    noise_size,
    resolve_preset,
    target_of,
    with_defaults,
)
from darknet_py.tasks.dream.sheet import sheet, thumbnail_of, thumbnails, usable_layers
from darknet_py.tasks.dream.step import Image, Scene
from darknet_py.tasks.dream.tiles import exact_tile
from darknet_py.tasks.keywords import DreamKeywords
from darknet_py.tasks.names import choose_names
from darknet_py.tasks.nightmare import (
    Event,
    Finished,
    Stepped,
    check_sizes,
    octaves_that_fit,
    reconstruct,
)
from darknet_py.tasks.nightmare import nightmare as run_dream
from darknet_py.tasks.options import ComputeOptions
from darknet_py.tasks.targets import class_count

Names = Callable[[Network, str | None], Sequence[str]]
"""The names of a network's classes, as a file says or found out."""


@dataclass(frozen=True)
class Plan:
    """A dream of which all is checked. request: with what its preset says. net: on paper, down to
    the last layer that is needed: its weights are loaded before `begin`. resolved: options whose
    values were found out on the way. rounds, steps: how many, and steps of each. memory: what is
    known of the memory that is needed, None: not asked for."""

    request: Request
    net: Network
    resolved: dict[str, Any]
    rounds: int
    steps: int
    begin: Callable[[], Iterator[Event]]
    forecast: Callable[[], Forecast]
    memory: Memory | None = None


@dataclass(frozen=True)
class Memory:
    """needed: bytes, about. tile: pixels of a tile, 0: there are none. exact: from how many on
    tiles meet unseen, None: these do."""

    needed: int
    tile: int
    exact: int | None


def plan_dream(
    request: Request, net: Network, names: Names, threads: int, rounds: int | None = None
) -> Plan:
    """Everything that can go wrong goes wrong here, before the first step. net: on paper. names:
    asked where a class is named. rounds: others than the request's. Raises ClashError and
    DarknetError.
    """
    check_depth(net)
    scene = _scene(request, net)
    h, w, _ = scene.picture.shape
    request = resolve_preset(request, net, w, h)
    flags = request.flags
    options = replace(flags, rounds=rounds or flags.rounds)
    device = net.ops.__name__.rsplit(".", 1)[-1]
    resolved: dict[str, Any] = {"threads": threads, "device": device}
    if flags.sheet:
        return _plan_sheet(request, net, scene, options, resolved)
    target = target_of(request)
    found = choices(net, target)
    if target.label is not None:
        net.weights_path = str(find_resource(request.weights) or request.weights)  # names beside
        known = [] if isinstance(target.label, int) else names(net, request.names)
        target = replace(target, label=class_number(net, target.label, known))
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

    def forecast() -> Forecast:
        seconds = dream_seconds(net, w, h, shapes, options, tile, threads)
        return Forecast(w, h, options.rounds, options.steps, seconds, needed)

    def begin() -> Iterator[Event]:
        if flags.reconstruct:
            assert request.layer is not None
            return reconstruct(net, scene.picture, request.layer, options)
        return run_dream(net, scene, targets(net, target, found, guide), options, tile)

    said = Memory(needed, tile, _exact_tile(memory, tile))
    return Plan(request, net, resolved, options.rounds, options.steps, begin, forecast, memory=said)


def _plan_sheet(
    request: Request, net: Network, scene: Scene, options: DreamOptions, resolved: dict[str, Any]
) -> Plan:
    picture = scene.picture
    h, w, _ = picture.shape
    layers = usable_layers(net, w, h)
    if not layers:
        raise DreamError(f"{net.path}: no layer can dream on a picture of {w} x {h}")
    net = net.truncated(layers[-1])

    def forecast() -> Forecast:
        # a round for each layer, at the picture's own scale, which is the largest
        each = replace(options, rounds=len(layers), iters=options.steps, octaves=1)
        shapes = shapes_of(net, [[(layer, 1.0)] for layer in layers], False, None)
        seconds = dream_seconds(net, w, h, shapes, each, 0, resolved["threads"])
        needed = DreamMemory(net, w, h, shapes[-1:], each).forecast()
        return Forecast(w, h, len(layers), each.steps, seconds, needed)

    def begin() -> Iterator[Event]:
        found = []
        for thumbnail in thumbnails(net, picture, layers, options, request.flags.thresh):
            found.append(thumbnail)
            yield Stepped(0, len(found) - 1)
        yield Finished(0, sheet(picture, found))

    return Plan(request, net, resolved, 1, len(layers), begin, forecast)


def _tile(flags: DreamOptions, memory: DreamMemory) -> int:
    """Pixels of a tile, 0 for none."""
    if flags.tile is not None:
        return flags.tile
    if flags.reconstruct:
        return 0
    limit = int(flags.memory * 2**30) if flags.memory else free_memory(memory.net)
    return memory.choose_tile(limit)


def _exact_tile(memory: DreamMemory, tile: int) -> int | None:
    """See Memory."""
    most = max(memory.w, memory.h)
    if not tile or tile >= most:
        return None
    exact = max(exact_tile(memory.net, choice, most) for choice in memory.choices)
    return exact if tile < exact else None


def _scene(request: Request, net: Network) -> Scene:
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


def _load(picture: Given, net: Network) -> Image:
    c = net.in_shape.c
    if net.settings.is_vector or c not in (1, 3):
        raise DreamError(f"{net.path}: takes {net.in_shape}: pictures have 1 or 3 channels")
    if isinstance(picture, str | os.PathLike):
        name = os.fspath(picture)
        return to_channels(load_image(find_resource(name) or name), c)
    return to_channels(to_image(picture, "picture"), c)


_FILES = ("prefix", "output", "overwrite", "gif", "webp", "fps", "replay", "trust")
"""Of what the command writes or reads as files: the function gives arrays."""


@takes(DreamOptions, ComputeOptions, without=_FILES)
def nightmare(
    picture: Given | None = None,
    layer: int | None = None,
    *,
    cfg: str | Path = EMBEDDED.cfg,
    weights: str | Path = EMBEDDED.weights,
    progress: Callable[[Event], object] | None = None,
    **options: Unpack[DreamKeywords],
) -> Image:
    """Dreams, as `darknet nightmare` does: with the same options, defaults, presets and checks, and
    the same picture in the end. Nothing is written.

    picture: a path, a Pillow image or an array (h, w, 3) of bytes or of floats from 0 to 1; None:
    clouds, or with `from_="noise"` noise. layer: whose activations are amplified; None: a preset
    chooses. cfg, weights: by default those that are installed. progress: is given Stepped
    after each step and Finished, with the picture, after each round (`darknet_py.tasks.nightmare`).
    All others are the command's options, `--keep-colours` as `keep_colours`, and `--class`,
    `--from` and `--lambda` as `class_`, `from_` and `lambda_`; but for those of files.

    Gives the picture of the last round, float32 of shape (h, w, c), values from 0 to 1. Raises
    TypeError for a keyword that there is not, ValueError for a value out of its range or options
    that do not go together, and DarknetError for all that the command refuses.
    """
    layer = read_argument("layer", layer, Whole(0), or_none=True)
    cfg = read_argument("cfg", cfg, File())
    weights = read_argument("weights", weights, File())
    check_function("progress", progress)
    tell = progress or (lambda _event: None)
    kinds = (DreamOptions, ComputeOptions)
    if isinstance(options.get("class_"), int):
        options["class_"] = str(options["class_"])
    flags, compute = read_keywords(
        "nightmare", options, *kinds, own=("cfg", "weights", "progress"), without=_FILES
    )
    known = keywords_of(DreamOptions)
    given = frozenset(known[name].field for name in options if name in known)
    request = with_defaults(Request(str(cfg), str(weights), picture, layer, flags, given))
    check_request(request)
    net = Network.from_cfg(
        find_resource(request.cfg) or request.cfg,
        compute.device,
        strict=compute.strict,
        exact=compute.exact,
        half=compute.half,
        rules=compute.rules,
    )
    plan = plan_dream(request, net, _names, os.cpu_count() or 1)
    plan.net.load_weights(find_resource(request.weights) or request.weights)
    last: Image | None = None
    for event in plan.begin():
        if isinstance(event, Finished):
            last = event.picture
        tell(event)
    assert last is not None
    return last


def _names(net: Network, names: str | None) -> Sequence[str]:
    return choose_names(names, class_count(net), net)
