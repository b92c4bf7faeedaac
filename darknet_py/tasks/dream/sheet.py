"""One picture with what every layer of a network would make of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from darknet_py.errors import DreamError, ShapeError
from darknet_py.images import resize_max
from darknet_py.images.draw.sheet import draw_sheet
from darknet_py.network import Network
from darknet_py.network.targets import StandOut
from darknet_py.tasks.dream.objective import can_dream
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Image, Scene
from darknet_py.tasks.nightmare import Finished, nightmare, octaves_that_fit

MOST_LAYERS = 500
SIDE = 192
"""Pixels of a thumbnail's longer side."""


@dataclass(frozen=True)
class Thumbnail:
    """A layer, and the picture after a dream of it."""

    layer: int
    kind: str
    picture: Image

    @property
    def caption(self) -> str:
        return f"{self.layer} {self.kind}"


def thumbnail_of(picture: Image) -> Image:
    """The picture as the sheet shows it: small."""
    return resize_max(picture, SIDE) if max(picture.shape[:2]) > SIDE else picture


def usable_layers(net: Network, w: int, h: int) -> list[int]:
    """Those that can dream on a picture of `w` x `h` pixels and show something of their own. Raises
    DreamError where there are more than a sheet can show."""
    # where one layer does not fit, nor does any after it
    fitting = bisect_left(range(len(net.layers)), True, key=lambda i: not _fits(net, i, w, h))
    usable = [
        index
        for index in range(fitting)
        if can_dream(net, index) and net.layers[index].kind != "dropout"
    ]
    if len(usable) > MOST_LAYERS:
        message = f"{len(usable):,} layers can dream, and a sheet shows at most {MOST_LAYERS:,}"
        raise DreamError(f"{net.path}: {message}: take --layers")
    return usable


def _fits(net: Network, layer: int, w: int, h: int) -> bool:
    try:
        net.truncated(layer).next_size(w, h)
    except ShapeError:
        return False
    return True


def thumbnails(
    net: Network, picture: Image, layers: Sequence[int], options: DreamOptions, thresh: float
) -> Iterator[Thumbnail]:
    """Dreams a round on a picture for each layer, in as many octaves as it has room for."""
    h, w, _ = picture.shape
    for layer in layers:
        octaves = octaves_that_fit(net.truncated(layer), w, h, options)
        scene = Scene(picture)
        chosen = replace(options, rounds=1, octaves=octaves)
        for event in nightmare(net.truncated(layer), scene, [[StandOut(layer, thresh)]], chosen):
            if isinstance(event, Finished):
                yield Thumbnail(layer, net.layers[layer].kind, event.picture)


def sheet(picture: Image, found: Sequence[Thumbnail]) -> Image:
    """The picture as it was, and all thumbnails, each with its layer's number and kind."""
    return draw_sheet(
        [picture, *(each.picture for each in found)], ["picture", *(each.caption for each in found)]
    )
