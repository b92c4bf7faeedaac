"""What `darknet nightmare` is asked for, made of its words; and words made of it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.classify import EMBEDDED
from darknet_py.cli.dream_options import Asked
from darknet_py.cli.options import find_file
from darknet_py.cli.order import split_network

if TYPE_CHECKING:
    from darknet_py.tasks.dream.objective import Wish
    from darknet_py.tasks.dream.options import Options

CLOUDS = "data/clouds.png"
EMBEDDED_LAYER = 8
"""What the embedded network dreams of where nobody says, and on what."""
_NOISE_SIZE = 512, 384


@dataclass(frozen=True)
class Request:
    """A network, a picture (None: noise) and a layer (None: an option says what to dream of)."""

    cfg: str
    weights: str
    picture: str | None
    layer: int | None
    asked: Asked

    @property
    def is_embedded(self) -> bool:
        return self.cfg == EMBEDDED.cfg

    @property
    def is_default(self) -> bool:
        """Whether nobody has said what to dream on."""
        return self.is_embedded and self.picture == CLOUDS

    @property
    def names(self) -> str | None:
        """A file with the names of the classes, if it is known."""
        return self.asked.names or (EMBEDDED.names if self.is_embedded else None)

    def arguments(self) -> list[str]:
        """As one would type them."""
        given = [self.cfg, self.weights, self.picture, self.layer]
        return [str(each) for each in given if each is not None]


def read_request(arguments: Sequence[str], asked: Asked) -> Request:
    """Raises click.UsageError for what does not go together."""
    named = split_network(arguments)
    cfg, weights, rest = named or (EMBEDDED.cfg, EMBEDDED.weights, list(arguments))
    layer = int(rest.pop()) if rest and re.fullmatch(r"[0-9]{1,6}", rest[-1]) else None
    if len(rest) > 1:
        raise click.UsageError(f"Expected one PICTURE and one LAYER, found {shlex.join(rest)}.")
    request = Request(cfg, weights, rest[0] if rest else None, layer, asked)
    request = _with_defaults(request)
    _check(request)
    return request


def _with_defaults(request: Request) -> Request:
    asked, picture, layer = request.asked, request.picture, request.layer
    if request.is_embedded:
        if picture is None and asked.start == "picture":
            picture = CLOUDS
        if layer is None and not (asked.layers or asked.label is not None or asked.sheet):
            layer = EMBEDDED_LAYER
    return Request(request.cfg, request.weights, picture, layer, asked)


def _check(request: Request) -> None:
    asked = request.asked
    if request.picture is None and asked.start == "picture":
        raise click.UsageError("Missing argument 'PICTURE' (or --from noise).")
    ways = {
        "LAYER": request.layer is not None,
        "--layers": asked.layers is not None,
        "--class": asked.label is not None,
        "--sheet": asked.sheet,
    }
    given = [way for way, is_given in ways.items() if is_given]
    if not given:
        raise click.UsageError("Missing argument 'LAYER' (or --layers, --class or --sheet).")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} do not go together.")
    clashes = [
        ("-range", asked.span > 1, request.layer is None, "needs a LAYER"),
        ("--channel", asked.channels is not None, asked.label is not None, "is not for --class"),
        ("--guide", asked.guide is not None, asked.label is not None, "is not for --class"),
        ("--guide", asked.guide is not None, asked.channels is not None, "is not for --channel"),
        ("--guide", asked.guide is not None, asked.sheet, "is not for --sheet"),
        ("-reconstruct", asked.reconstruct, request.layer is None, "needs a LAYER"),
        ("-reconstruct", asked.reconstruct, request.picture is None, "needs a PICTURE"),
        ("-reconstruct", asked.reconstruct, asked.guide is not None, "is not for --guide"),
        ("--keep-colours", asked.keep_colours, request.picture is None, "needs a PICTURE"),
        ("--size", asked.size is not None, request.picture is not None, "is for noise alone"),
    ]
    for option, is_given, clashing, why in clashes:
        if is_given and clashing:
            raise click.UsageError(f"{option} {why}.")


def files_of(request: Request) -> dict[str, str]:
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


def wish_of(request: Request) -> Wish:
    """What to dream of. Raises click.UsageError."""
    from darknet_py.tasks.dream.objective import Wish

    asked = request.asked
    return Wish(
        layer=request.layer,
        span=asked.span,
        layers=_layers(asked.layers or ""),
        label=asked.label,
        channels=tuple(_integers(asked.channels or "")),
        thresh=asked.thresh,
    )


def options_of(asked: Asked) -> Options:
    """The numbers."""
    from darknet_py.tasks.dream.options import Options

    return Options(
        rounds=asked.rounds,
        iters=asked.iters,
        octaves=asked.octaves,
        rate=asked.rate,
        zoom=asked.zoom,
        rotate=asked.rotate,
        norm=bool(asked.norm),
        seed=asked.seed,
        laplacian=asked.laplacian,
        tv=asked.tv,
        momentum=asked.momentum,
        smooth_rate=asked.smooth_rate,
        smooth=asked.smooth,
    )


def noise_size(asked: Asked) -> tuple[int, int]:
    """Width and height of noise that has no picture's size."""
    if asked.size is None:
        return _NOISE_SIZE
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", asked.size)
    if not found:
        raise click.UsageError(f"--size {asked.size}: expected WIDTHxHEIGHT, such as 512x384.")
    return int(found[1]), int(found[2])


def _layers(text: str) -> tuple[tuple[int, float], ...]:
    found = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*([0-9]{1,6})(?::(\d*\.?\d+))?\s*", part)
        if not match:
            raise click.UsageError(f"--layers {text}: expected N:WEIGHT,..., such as 10:1,7:.3.")
        found.append((int(match[1]), float(match[2] or 1)))
    return tuple(found)


def _integers(text: str) -> list[int]:
    if text and not re.fullmatch(r"\s*[0-9]{1,6}(\s*,\s*[0-9]{1,6})*\s*", text):
        raise click.UsageError(f"--channel {text}: expected N,..., such as 3 or 3,17.")
    return [int(part) for part in text.split(",")] if text else []


_NOT_RECORDED = {"output", "prefix", "gif", "webp", "memory", "quiet", "strict", "replay"}
_ALWAYS = {"seed", "device", "threads", "tile"}


def command_line(context: click.Context, request: Request, resolved: Mapping[str, Any]) -> str:
    """The command with all that makes a difference, whatever it was typed like. resolved: options
    whose values have been found out."""
    words = ["darknet", "nightmare", *request.arguments()]
    values = {**context.params, **resolved}
    for option in context.command.params:
        name = option.name or ""
        if not isinstance(option, click.Option) or name in _NOT_RECORDED or name not in values:
            continue
        value = values[name]
        if value is None or (value == option.get_default(context) and name not in _ALWAYS):
            continue
        words += [option.opts[0]] if option.is_flag else [option.opts[0], str(value)]
    return shlex.join(words)
