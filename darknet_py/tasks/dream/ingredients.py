"""What options of a dream may be that are no numbers: layers with weights, channels, sizes."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_LAYER = re.compile(r"([0-9]{1,6})(?::([0-9]{1,6}(?:\.[0-9]{1,20})?|\.[0-9]{1,20}))?", re.ASCII)
_CHANNELS = re.compile(r"\s*[0-9]{1,6}(\s*,\s*[0-9]{1,6})*\s*", re.ASCII)
_MOST_LAYERS, _MOST_CHANNELS = 256, 4_096
MOST_PIXELS = 2**27
"""images.MAX_PIXELS, which a --help does not wait for."""

LayerSets = tuple[tuple[tuple[int, float], ...], ...]


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
