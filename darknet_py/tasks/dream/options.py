"""The options of a dream: numbers are those of the nightmare page, where nothing else is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from darknet_py.cfg.rules import PROGRAMS
from darknet_py.options import Flag, Real, Whole, Word, option, options_in

# What options of a dream may be that are no numbers: layers with weights, channels, sizes.

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_LAYER = re.compile(r"([0-9]{1,6})(?::([0-9]{1,6}(?:\.[0-9]{1,20})?|\.[0-9]{1,20}))?", re.ASCII)
_CHANNELS = re.compile(r"\s*[0-9]{1,6}(\s*,\s*[0-9]{1,6})*\s*", re.ASCII)
_MOST_LAYERS, _MOST_CHANNELS = 256, 4_096
MOST_PIXELS = 2**27
"""images.MAX_PIXELS, which a --help does not wait for."""

LayerSets = tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class Checked:
    """Text that stays as it is where `check`, which raises ValueError, can read it."""

    check: Callable[[str], object]

    def read(self, text: str) -> str:
        self.check(text)
        return text


class Picture:
    """A file that goes in: a recipe has its name, without a folder, and its digest."""


def read_layers(text: str) -> LayerSets:
    """Sets of layers with weights, to draw from, of N:WEIGHT,.../... Raises ValueError."""
    found = []
    for part in text.split("/", _MOST_LAYERS):
        matches = [_LAYER.fullmatch(each.strip()) for each in part.split(",", _MOST_LAYERS)]
        found.append([(match[1], match[2] or "1") for match in matches if match])
        if None in matches or sum(map(len, found)) > _MOST_LAYERS:
            raise ValueError(
                f"expected N:WEIGHT,..., such as 10:1,7:.3, or several with / between them, and "
                f"at most {_MOST_LAYERS} layers"
            )
    return tuple(tuple((int(layer), float(weight)) for layer, weight in each) for each in found)


def read_channels(text: str) -> tuple[int, ...]:
    """Numbers of channels, of N,... Raises ValueError."""
    if not _CHANNELS.fullmatch(text) or text.count(",") >= _MOST_CHANNELS:
        raise ValueError(f"expected N,..., such as 3 or 3,17, and at most {_MOST_CHANNELS:,}")
    return tuple(int(part) for part in text.split(","))


def read_size(text: str) -> tuple[int, int]:
    """Width and height. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError("expected WIDTHxHEIGHT, such as 512x384")
    w, h = int(match[1]), int(match[2])
    if w * h > MOST_PIXELS:
        raise ValueError(f"expected at most {MOST_PIXELS:,} pixels")
    return w, h


OCTAVE_SCALE = 4 / 3
"""The page's: each scale is 3/4 of the one before."""
PRESETS = ("creatures", "eyes", "ornament", "class", "zoom")
"""Those of presets.py, which is not imported for a --help."""
NO_PRESET = "none"
ANY = Real(-1e6, 1e6)


@dataclass(frozen=True)
class DreamOptions:
    """What is dreamed of, and how: the C program's options, and more. In words that help has no
    room for:

    rounds, iters: pictures that are made, and steps to each. octaves: scales that are drawn
    from, each `octave_scale` times as large as the next. coarse_to_fine: instead, as
    google/deepdream does it, `iters` steps at each of the scales, from the smallest to the
    picture's own, moved by up to 32 pixels around its edges. rate: how much of a step is added.
    zoom, rotate: between rounds, as a share of the picture's sides and in radians. norm: whether
    steps are made to have mean 0 and deviation 1. seed: of all that is drawn. laplacian: levels
    whose details are made equally strong; 0: none. tv: how much of the total variation's gradient
    is added to each step.

    momentum, smooth_rate, smooth: of a reconstruction. `smooth_rate` (the C program's -lambda)
    draws each pixel to those up to `smooth` pixels away.
    """

    preset: str | None = option(
        None,
        "--preset",
        kind=Word((*PRESETS, NO_PRESET)),
        help="What to dream of and how, for any network and picture; options that are given win.  "
        "[default: creatures without LAYER, class with --class, ornament with --sheet]",
    )
    rounds: int = option(1, "-rounds", "--rounds", kind=Whole(1, 100_000), help="Pictures to make.")
    iters: int = option(10, "-iters", "--iters", kind=Whole(1, 100_000), help="Steps to each.")
    span: int = option(
        1,
        "-range",
        "--range",
        kind=Whole(1, 1_000),
        help="Layers around LAYER that each step draws from: 10 -range 3 is 9 to 11.",
    )
    octaves: int = option(
        4, "-octaves", "--octaves", kind=Whole(1, 32), help="Scales that each step draws from."
    )
    octave_scale: float = option(
        4 / 3,
        "--octave-scale",
        kind=Real(1, 16, least_open=True),
        shown="4/3",
        help="How many times as large each scale is as the next.",
    )
    coarse_to_fine: bool = option(
        False,
        "--coarse-to-fine/--no-coarse-to-fine",
        kind=Flag(),
        help="-iters steps at each scale in turn, the smallest first, instead of drawing one.",
    )
    rate: float = option(0.05, "-rate", "--rate", kind=ANY, help="How much of a step is added.")
    thresh: float = option(
        1.0,
        "-thresh",
        "--thresh",
        kind=ANY,
        help="Features this many standard deviations above their mean are made stronger.",
    )
    zoom: float = option(
        1.0,
        "-zoom",
        "--zoom",
        kind=Real(0.05, 20),
        help="After each round: .99 magnifies the middle 99 %.",
    )
    rotate: float = option(
        0.0, "-rotate", "--rotate", kind=ANY, help="After each round, in radians."
    )
    norm: int = option(
        1,
        "-norm",
        "--norm",
        kind=Whole(0, 1),
        help="Whether steps are made equally strong; 0: added as they come.",
    )
    prefix: str | None = option(
        None, "-prefix", "--prefix", metavar="FOLDER", help="Where pictures are written."
    )
    output: str | None = option(
        None,
        "-o",
        "--output",
        metavar="FILE",
        help="The last round as this PNG or JPEG, no others.",
    )
    overwrite: bool = option(
        False, "--overwrite", kind=Flag(), help="Write over a file of this name that is there."
    )
    seed: int = option(0, "--seed", kind=Whole(0, 2**63 - 1), help="Of all that is drawn.")
    layers: str | None = option(
        None,
        "--layers",
        metavar="N:WEIGHT,...",
        help="Several layers at once instead of LAYER, with weights: 10:1,7:.3. Each step draws "
        "one of 10/13/13.",
    )
    channels: str | None = option(
        None,
        "--channel",
        metavar="N,...",
        help="Only these channels of the layers, numbered from 0.",
    )
    label: str | int | None = option(
        None,
        "--class",
        metavar="NAME",
        help="A class that the network knows, by its name or number, instead of LAYER.",
    )
    names: str | None = option(
        None, "--names", metavar="FILE", help="Names of the classes, one a line."
    )
    guide: str | None = option(
        None,
        "--guide",
        metavar="PICTURE",
        help="Dream of this picture's features, each pixel of the nearest one.",
    )
    laplacian: int = option(
        0,
        "--laplacian",
        kind=Whole(0, 16),
        metavar="LEVELS",
        help="Make details of so many sizes equally strong: smoother, in softer colours.",
    )
    tv: float = option(0.0, "--tv", kind=Real(0, 1e6), help="Smooth by total variation: .5, say.")
    keep_colours: bool = option(
        False, "--keep-colours", "--keep-colors", kind=Flag(), help="Change light only."
    )
    mask: str | None = option(
        None,
        "--mask",
        metavar="PICTURE",
        help="Dream where this picture is white, less where it is grey, not where it is black.",
    )
    start: str = option(
        "picture",
        "--from",
        kind=Word(("picture", "noise")),
        help="What is dreamed on; noise is as large as PICTURE, or as --size.",
    )
    size: str | None = option(
        None, "--size", metavar="WxH", help="Of noise, without PICTURE.  [512x384]"
    )
    reconstruct: bool = option(
        False,
        "-reconstruct",
        "--reconstruct",
        kind=Flag(),
        help="Reconstruct PICTURE, from noise, from its activations in LAYER.",
    )
    momentum: float = option(
        0.9,
        "-momentum",
        "--momentum",
        kind=Real(0, 1, most_open=True),
        help="Of a reconstruction: how much of each step stays in the next.",
    )
    smooth_rate: float = option(
        0.01,
        "-lambda",
        "--lambda",
        kind=Real(0, 1e6),
        help="Of a reconstruction: how strongly pixels are drawn to their neighbours,",
    )
    smooth: int = option(
        1, "-smooth", "--smooth", kind=Whole(0, 1_000), help="which are so many pixels away."
    )
    tile: int | None = option(
        None,
        "--tile",
        kind=Whole(0, 100_000),
        metavar="N",
        help="Dream in tiles of N pixels, which takes less memory and more time; 0: never.  [as "
        "memory allows]",
    )
    memory: float | None = option(
        None,
        "--memory",
        kind=Real(0, least_open=True),
        metavar="GB",
        help="How much may be taken before tiles are.  [most of what is free]",
    )
    gif: str | None = option(None, "--gif", metavar="FILE", help="The rounds as an animation.")
    webp: str | None = option(None, "--webp", metavar="FILE", help="The same in all colours.")
    fps: float = option(
        10.0, "--fps", kind=Real(0.01, 50), help="Rounds that an animation shows in a second."
    )
    sheet: bool = option(
        False, "--sheet", kind=Flag(), help="One picture with a thumbnail of every layer's dream."
    )
    replay: str | None = option(
        None,
        "--replay",
        metavar="PNG",
        help="Make a picture again by the recipe that stands in it.",
    )
    trust: bool = option(
        False,
        "--trust",
        kind=Flag(),
        help="With --replay: do what a recipe says that was not made here, without asking.",
    )

    @property
    def steps(self) -> int:
        """That each round takes."""
        return self.iters * (self.octaves if self.coarse_to_fine else 1)


def _ingredients() -> dict[str, tuple[str, Any]]:
    """Every option that makes a dream what it is, as it is written, and what it may be."""
    described = options_in(DreamOptions)
    texts: dict[str, Any] = {
        "preset": Word((NO_PRESET,)),
        "layers": Checked(read_layers),
        "channels": Checked(read_channels),
        "label": Whole(0, 10**6),
        "guide": Picture(),
        "mask": Picture(),
        "size": Checked(read_size),
    }
    return {
        name: (next(iter(each.flags)).split("/")[0], texts.get(name, each.kind))
        for name, each in described.items()
        if name not in _NOT_OF_A_DREAM
    } | {
        "device": ("--device", Word(("cpu", "gpu"))),
        "threads": ("--threads", Whole(1, 1_024)),
        "exact": ("--exact", Flag()),
        "half": ("--half", Flag()),
        "rules": ("--rules", Word(PROGRAMS)),
    }


_NOT_OF_A_DREAM = {
    *("prefix", "output", "names", "memory", "gif", "webp", "fps", "replay", "trust", "overwrite"),
}
"""Where pictures go, and what is found out anew: a recipe does not say it."""

INGREDIENTS: Mapping[str, tuple[str, Any]] = _ingredients()
"""What a recipe may say, by the names of the fields: the option, as it is written, and what it may
be. `device` says only what a dream was made on."""


def octave_size(w: int, h: int, octave: int, scale: float = OCTAVE_SCALE) -> tuple[int, int]:
    """Width and height of a picture at a scale: the 0th is its own, and each `scale` times as large
    as the next."""
    # the page's 3/4 is a float, 4/3 is none
    share = (0.75 if scale == OCTAVE_SCALE else 1 / scale) ** octave
    return int(w * share), int(h * share)
