"""The options of `darknet nightmare`: the C program's with one dash, or two, and more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from darknet_py.cli.finite import FiniteRange
from darknet_py.cli.options import as_one
from darknet_py.tasks.dream.ingredients import INGREDIENTS, Real, Whole


@dataclass(frozen=True)
class DreamOptions:
    """What the options say, each under the name of its parameter."""

    preset: str | None
    rounds: int
    iters: int
    span: int
    octaves: int
    octave_scale: float
    coarse_to_fine: bool
    rate: float
    thresh: float
    zoom: float
    rotate: float
    norm: int
    prefix: str | None
    output: str | None
    seed: int
    layers: str | None
    channels: str | None
    label: str | int | None
    names: str | None
    guide: str | None
    laplacian: int
    tv: float
    keep_colours: bool
    mask: str | None
    start: str
    size: str | None
    reconstruct: bool
    momentum: float
    smooth_rate: float
    smooth: int
    tile: int | None
    memory: float | None
    gif: str | None
    webp: str | None
    fps: float
    sheet: bool
    replay: str | None
    trust: bool


def _range(name: str) -> Any:
    """What an option may be: its recipe's range."""
    _, kind = INGREDIENTS[name]
    if isinstance(kind, Whole):
        return click.IntRange(kind.least, kind.most)
    assert isinstance(kind, Real)
    return FiniteRange(kind.least, kind.most, min_open=kind.least_open, max_open=kind.most_open)


PRESETS = ("creatures", "eyes", "ornament", "class", "zoom")
"""Those of tasks.dream.presets, which is not imported for a --help."""
NO_PRESET = "none"

_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--preset",
        type=click.Choice([*PRESETS, NO_PRESET]),
        help="What to dream of and how, for any network and picture; options that are given win. "
        " [default: creatures without LAYER, class with --class, ornament with --sheet]",
    ),
    click.option("-rounds", "--rounds", type=_range("rounds"), default=1, help="Pictures to make."),
    click.option("-iters", "--iters", type=_range("iters"), default=10, help="Steps to each."),
    click.option(
        "-range",
        "--range",
        "span",
        type=_range("span"),
        default=1,
        help="Layers around LAYER that each step draws from: 10 -range 3 is 9 to 11.",
    ),
    click.option(
        "-octaves",
        "--octaves",
        type=_range("octaves"),
        default=4,
        help="Scales that each step draws from.",
    ),
    click.option(
        "--octave-scale",
        type=_range("octave_scale"),
        default=4 / 3,
        show_default="4/3",
        help="How many times as large each scale is as the next.",
    ),
    click.option(
        "--coarse-to-fine/--no-coarse-to-fine",
        default=False,
        help="-iters steps at each scale in turn, the smallest first, instead of drawing one.",
    ),
    click.option(
        "-rate", "--rate", type=_range("rate"), default=0.05, help="How much of a step is added."
    ),
    click.option(
        "-thresh",
        "--thresh",
        type=_range("thresh"),
        default=1.0,
        help="Features this many standard deviations above their mean are made stronger.",
    ),
    click.option(
        "-zoom",
        "--zoom",
        type=_range("zoom"),
        default=1.0,
        help="After each round: .99 magnifies the middle 99 %.",
    ),
    click.option(
        "-rotate",
        "--rotate",
        type=_range("rotate"),
        default=0.0,
        help="After each round, in radians.",
    ),
    click.option(
        "-norm",
        "--norm",
        type=_range("norm"),
        default=1,
        help="Whether steps are made equally strong; 0: added as they come.",
    ),
    click.option("-prefix", "--prefix", metavar="FOLDER", help="Where pictures are written."),
    click.option(
        "-o", "--output", metavar="FILE", help="The last round as this PNG or JPEG, no others."
    ),
    click.option("--seed", type=_range("seed"), default=0, help="Of all that is drawn."),
    click.option(
        "--layers",
        metavar="N:WEIGHT,...",
        help="Several layers at once instead of LAYER, with weights: 10:1,7:.3. Each step draws "
        "one of 10/13/13.",
    ),
    click.option(
        "--channel",
        "channels",
        metavar="N,...",
        help="Only these channels of the layers, numbered from 0.",
    ),
    click.option(
        "--class",
        "label",
        metavar="NAME",
        help="A class that the network knows, by its name or number, instead of LAYER.",
    ),
    click.option("--names", metavar="FILE", help="Names of the classes, one a line."),
    click.option(
        "--guide",
        metavar="PICTURE",
        help="Dream of this picture's features, each pixel of the nearest one.",
    ),
    click.option(
        "--laplacian",
        type=_range("laplacian"),
        metavar="LEVELS",
        default=0,
        help="Make details of so many sizes equally strong: smoother, in softer colours.",
    ),
    click.option(
        "--tv",
        type=_range("tv"),
        default=0.0,
        help="Smooth by total variation: .5, say.",
    ),
    click.option(
        "--keep-colours", "--keep-colors", "keep_colours", is_flag=True, help="Change light only."
    ),
    click.option(
        "--mask",
        metavar="PICTURE",
        help="Dream where this picture is white, less where it is grey, not where it is black.",
    ),
    click.option(
        "--from",
        "start",
        type=click.Choice(["picture", "noise"]),
        default="picture",
        help="What is dreamed on; noise is as large as PICTURE, or as --size.",
    ),
    click.option("--size", metavar="WxH", help="Of noise, without PICTURE.  [512x384]"),
    click.option(
        "-reconstruct",
        "--reconstruct",
        is_flag=True,
        help="Find PICTURE again, from noise, by what LAYER sees in it.",
    ),
    click.option(
        "-momentum",
        "--momentum",
        type=_range("momentum"),
        default=0.9,
        help="Of a reconstruction: how much of each step stays in the next.",
    ),
    click.option(
        "-lambda",
        "--lambda",
        "smooth_rate",
        type=_range("smooth_rate"),
        default=0.01,
        help="Of a reconstruction: how strongly pixels are drawn to their neighbours,",
    ),
    click.option(
        "-smooth",
        "--smooth",
        type=_range("smooth"),
        default=1,
        help="which are so many pixels away.",
    ),
    click.option(
        "--tile",
        type=_range("tile"),
        metavar="N",
        help="Dream in tiles of N pixels, which takes less memory and more time; 0: never.  "
        "[as memory allows]",
    ),
    click.option(
        "--memory",
        type=FiniteRange(min=0, min_open=True),
        metavar="GB",
        help="How much may be taken before tiles are.  [most of what is free]",
    ),
    click.option("--gif", metavar="FILE", help="The rounds as an animation."),
    click.option("--webp", metavar="FILE", help="The same in all colours."),
    click.option(
        "--fps",
        type=FiniteRange(0.01, 50),
        default=10.0,
        help="Rounds that an animation shows in a second.",
    ),
    click.option(
        "--sheet", is_flag=True, help="One picture with a thumbnail of every layer's dream."
    ),
    click.option(
        "--replay", metavar="PNG", help="Make a picture again by the recipe that stands in it."
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="With --replay: do what a recipe says that was not made here, without asking.",
    ),
)


dream_options = as_one("flags", DreamOptions, _OPTIONS)
"""All of them, as one argument `flags`."""
