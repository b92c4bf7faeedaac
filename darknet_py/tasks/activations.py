"""What the layers of a network see in a picture: their maps, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.images.draw.sheet import draw_maps
from darknet_py.network import Network, check_network
from darknet_py.network.io_checks import check_layers, check_values
from darknet_py.options import Whole, read_argument
from darknet_py.tasks.explain.target import score_layer
from darknet_py.tasks.targets import check_finite
from darknet_py.text import counted


@dataclass(frozen=True)
class LayerMaps:
    """maps: (k, h, w), of the channels (k,) of a layer; strengths (k,): their means; of: how many
    channels the layer has. low, high: the smallest and the largest value of all of them."""

    layer: int
    kind: str
    maps: np.ndarray
    channels: np.ndarray
    strengths: np.ndarray
    of: int
    low: float
    high: float

    @property
    def title(self) -> str:
        k, h, w = self.maps.shape
        which = counted(self.of, "channel") if k == self.of else f"the {k} strongest of {self.of}"
        return f"Layer {self.layer} [{self.kind}]: {which}, {w} x {h}"


def layer_activations(
    net: Network,
    x: np.ndarray,
    layers: Sequence[int] = (),
    top: int | None = None,
    name: object = "the picture",
) -> list[LayerMaps]:
    """The maps of some layers, those of `chosen_layers` unless given.

    x (c, h, w), 0..1. top: of each layer the so many channels with the largest means, in that
    order; all, in theirs, unless given. name: of the picture, for messages. Raises ShapeError for a
    layer that is none or has no map, NotFiniteError for maps with NaN.
    """
    check_network(net)
    top = read_argument("top", top, Whole(1), or_none=True)
    check_values(net, x)
    if x.ndim != 3:
        raise ShapeError(
            f"{net.path}: expected a picture of shape (c, h, w), found an array of {x.shape}"
        )
    net = net.sized(x[None])
    layers = layers or chosen_layers(net)
    for layer in layers:
        _check(net, layer)
    outputs = net.activations(x[None])
    check_finite(net, name, x[None], *(outputs[layer] for layer in layers))
    return [_maps(net, layer, outputs[layer][0], top) for layer in layers]


def chosen_layers(net: Network) -> list[int]:
    """A few that show the way through the network: the last map of each size.

    Without pooled ones, which repeat what came before, and the maps of single classes.
    """
    last: dict[tuple[int, int], int] = {}
    for index, layer in enumerate(net.layers[: score_layer(net) + 1]):
        h, w, c = layer.out_shape
        if h * w > 1 and c != net.outputs and layer.kind not in ("dropout", "maxpool"):
            last[h, w] = index
    return sorted(last.values())


def draw_layer(found: LayerMaps) -> np.ndarray:
    """A layer's maps as a sheet (h, w, 3), each with its channel's number and mean."""
    captions = [
        f"{channel}: {strength:.3g}"
        for channel, strength in zip(found.channels, found.strengths, strict=True)
    ]
    return draw_maps(found.maps, captions, found.title)


def _maps(net: Network, layer: int, output: np.ndarray, top: int | None) -> LayerMaps:
    strengths = output.mean(axis=(1, 2), dtype=np.float64)
    channels = np.arange(len(output))
    if top is not None:
        channels = np.argsort(-strengths, kind="stable")[:top]
    return LayerMaps(
        layer,
        net.layers[layer].kind,
        output[channels],
        channels,
        strengths[channels],
        len(output),
        float(output.min()),
        float(output.max()),
    )


def _check(net: Network, layer: int) -> None:
    check_layers(net, [layer])
    h, w, _ = net.layers[layer].out_shape
    if h * w == 1:
        kind = net.layers[layer].kind
        raise ShapeError(f"{net.path}: layer {layer} [{kind}] has one pixel a channel: no map")
