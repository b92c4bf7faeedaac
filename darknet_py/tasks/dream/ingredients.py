"""What makes a dream what it is: every option that does, with what it may be.

One table. The command line takes its ranges from here, a recipe is written from it and read by it:
so whatever was dreamed can be asked for again, and a recipe asks for nothing else. Nothing in here
names a file to write or a device; `device` says only what a dream was made on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WHOLE = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_REAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?", re.ASCII)
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_LAYER = re.compile(r"([0-9]{1,6})(?::([0-9]{1,6}(?:\.[0-9]{1,20})?|\.[0-9]{1,20}))?", re.ASCII)
_CHANNELS = re.compile(r"\s*[0-9]{1,6}(\s*,\s*[0-9]{1,6})*\s*", re.ASCII)
_MOST_LAYERS, _MOST_CHANNELS = 256, 4_096
MOST_PIXELS = 2**27
"""images.MAX_PIXELS, which a --help does not wait for."""

LayerSets = tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def read(self, text: str) -> int:
        """Raises ValueError, as all of these do, with what was expected."""
        if not _WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
            raise ValueError(f"expected a whole number from {self.least} to {self.most:,}")
        return int(text)


@dataclass(frozen=True)
class Real:
    """A number from `least` to `most`, each of which may be open: not itself in the range."""

    least: float
    most: float
    least_open: bool = False
    most_open: bool = False

    def read(self, text: str) -> float:
        number = float(text) if _REAL.fullmatch(text) else float("nan")
        low = self.least < number if self.least_open else self.least <= number
        high = number < self.most if self.most_open else number <= self.most
        if not (low and high):
            raise ValueError(f"expected a number from {self.least:g} to {self.most:g}")
        return number


@dataclass(frozen=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"expected {' or '.join(self.words)}")
        return text


class Flag:
    """Given or not."""


class Size:
    """Of noise: WIDTHxHEIGHT, in pixels."""

    def read(self, text: str) -> str:
        read_size(text)
        return text


class Layers:
    """Layers with weights: see `read_layers`."""

    def read(self, text: str) -> str:
        read_layers(text)
        return text


class Channels:
    """Numbers of channels: see `read_channels`."""

    def read(self, text: str) -> str:
        read_channels(text)
        return text


class Picture:
    """A file that goes in: a recipe has its name, without a folder, and its digest."""


Kind = Whole | Real | Word | Flag | Size | Layers | Channels | Picture

_ANY = Real(-1e6, 1e6)

INGREDIENTS: Mapping[str, tuple[str, Kind]] = {
    "preset": ("--preset", Word(("none",))),
    "rounds": ("-rounds", Whole(1, 100_000)),
    "iters": ("-iters", Whole(1, 100_000)),
    "span": ("-range", Whole(1, 1_000)),
    "octaves": ("-octaves", Whole(1, 32)),
    "octave_scale": ("--octave-scale", Real(1, 16, least_open=True)),
    "coarse_to_fine": ("--coarse-to-fine", Flag()),
    "rate": ("-rate", _ANY),
    "thresh": ("-thresh", _ANY),
    "zoom": ("-zoom", Real(0.05, 20)),
    "rotate": ("-rotate", _ANY),
    "norm": ("-norm", Whole(0, 1)),
    "seed": ("--seed", Whole(0, 2**63 - 1)),
    "layers": ("--layers", Layers()),
    "channels": ("--channel", Channels()),
    "label": ("--class", Whole(0, 10**6)),
    "guide": ("--guide", Picture()),
    "laplacian": ("--laplacian", Whole(0, 16)),
    "tv": ("--tv", Real(0, 1e6)),
    "keep_colours": ("--keep-colours", Flag()),
    "mask": ("--mask", Picture()),
    "start": ("--from", Word(("picture", "noise"))),
    "size": ("--size", Size()),
    "reconstruct": ("-reconstruct", Flag()),
    "momentum": ("-momentum", Real(0, 1, most_open=True)),
    "smooth_rate": ("-lambda", Real(0, 1e6)),
    "smooth": ("-smooth", Whole(0, 1_000)),
    "tile": ("--tile", Whole(0, 100_000)),
    "sheet": ("--sheet", Flag()),
    "device": ("--device", Word(("cpu", "gpu"))),
    "threads": ("--threads", Whole(1, 1_024)),
    "exact": ("--exact", Flag()),
    "half": ("--half", Flag()),
}
"""By the names of the command's parameters: the option, as it is written, and what it may be."""


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
