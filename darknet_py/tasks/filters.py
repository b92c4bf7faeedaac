"""What the filters of a network are, and what they want to see."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.network import Network, check_network
from darknet_py.network.io_checks import check_layers
from darknet_py.network.vjp import PICTURE
from darknet_py.options import Whole, read_argument
from darknet_py.tasks.targets import check_finite

# The filters that look at the picture itself: their weights are small pictures.


class FirstFilters(NamedTuple):
    """weights: (filters, c, size, size), of the first [convolutional] layer, in darknet's order."""

    layer: int
    weights: np.ndarray

    def pictures(self) -> list[np.ndarray]:
        """Each filter as (size, size, c), its least weight 0 and its largest 1; of filters that
        take neither 1 nor 3 channels these lie side by side, (size, c size, 1).

        Source: get_weights and normalize_image, as `visualize` of the C program shows them.
        """
        return [_picture(each) for each in self.weights]


def first_filters(net: Network) -> FirstFilters:
    """Raises ShapeError where no layer convolves."""
    for index, layer in enumerate(net.layers):
        if layer.kind == "convolutional":
            weights = layer.parameters()[-1]
            value = net.ops.to_host(weights.data)
            return FirstFilters(index, np.ascontiguousarray(value.transpose(0, 3, 1, 2)))
    raise ShapeError(f"{net.path}: has no [convolutional] layer whose filters could be shown")


def _picture(weights: np.ndarray) -> np.ndarray:
    low, high = float(weights.min()), float(weights.max())
    shares = (weights - low) / (high - low) if high > low else np.zeros_like(weights)
    if len(weights) in (1, 3):
        return shares.transpose(1, 2, 0)
    return np.concatenate(list(shares), axis=1)[..., None]


# Batches of pictures made soft.


def blur(x: np.ndarray, deviation: float) -> np.ndarray:
    """x (n, c, h, w) convolved with a Gaussian of this deviation in pixels, edge joined to edge.

    The sum of each channel stays. 0 leaves it as it is.
    """
    reach = math.ceil(3 * deviation)
    if reach == 0:
        return x
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    for axis in (2, 3):
        soft = np.zeros_like(x)
        for k, weight in enumerate(weights.astype(x.dtype)):
            soft += weight * np.roll(x, k - reach, axis)
        x = soft
    return x


# What a filter wants to see: a picture that is changed until the filter answers most.

STEPS = 96
_RATE = 0.03
"""How far a pixel moves in a step, on average, of the way from black to white."""
_JITTER = 4
"""Pixels by which the picture is shifted, at most, before each step: what is between two pixels of
a layer's grid is found as well as what lies on it."""
_BLUR_FIRST, _BLUR_LAST = 1.2, 0.4
"""Deviations, in pixels, of the blur of each step: coarse shapes first, then finer ones."""
_NOISE = 0.05
_BATCH = 8


class Maximized(NamedTuple):
    """pictures: (k, c, h, w), 0..1; before, after: (k,), the means of the channels' activations
    for the noise at the start, and for the pictures."""

    pictures: np.ndarray
    before: np.ndarray
    after: np.ndarray


def maximize_activation(
    net: Network,
    layer: int,
    channels: Sequence[int],
    size: int | None = None,
    steps: int = STEPS,
    seed: int = 0,
) -> Maximized:
    """Gradient ascent from noise around grey, for several channels at once.

    Each step shifts the picture at random, moves it along the blurred gradient of the channel's
    mean activation, scaled to one length, and keeps it within 0..1. size: of the square pictures,
    in pixels; 128, or the network's own where that is less or it takes no other. Raises ShapeError,
    and NotFiniteError where activations are NaN. Source: Erhan et al. 2009,
    "Visualizing Higher-Layer Features"; jitter and blur as in Mordvintsev et al. 2015,
    "Inceptionism", and Oygard 2015, "Visualizing GoogLeNet Classes".
    """
    check_network(net)
    layer = read_argument("layer", layer, Whole(0))
    size = read_argument("size", size, Whole(), or_none=True)
    steps, seed = (read_argument(k, v, Whole(0)) for k, v in (("steps", steps), ("seed", seed)))
    check_channels(net, layer, channels)
    net = _sized(net, size)
    h, w, c = net.in_shape
    rng = np.random.default_rng(seed)
    shifts = rng.integers(-_JITTER, _JITTER + 1, (steps, 2))
    start = 0.5 + _NOISE * rng.standard_normal((len(channels), c, h, w), np.float32)
    parts = [
        _ascend(net, layer, list(channels[first : first + _BATCH]), part, shifts)
        for first, part in _batches(start)
    ]
    pictures = np.concatenate(parts)
    before, after = (_means(net, layer, channels, each) for each in (start, pictures))
    check_finite(net, f"layer {layer}", pictures, before, after)
    return Maximized(pictures, before, after)


def _ascend(
    net: Network, layer: int, channels: list[int], x: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    delta = _delta(net, layer, channels)
    deviations = np.linspace(_BLUR_FIRST, _BLUR_LAST, len(shifts))
    for shift, deviation in zip(shifts, deviations, strict=True):
        x = np.roll(x, shift, axis=(2, 3))
        step = blur(net.vjp(x, delta, layer, [PICTURE]).deltas[0], float(deviation))
        length = np.abs(step).mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64)
        x = np.clip(x + _RATE * step / np.maximum(length, 1e-20).astype(x.dtype), 0, 1)
        x = np.roll(x, -shift, axis=(2, 3))
    return x


def _delta(net: Network, layer: int, channels: list[int]) -> np.ndarray:
    """The gradient of each picture's channel's mean, (k, c, h, w)."""
    h, w, c = net.layers[layer].out_shape
    delta = np.zeros((len(channels), c, h, w), np.float32)
    delta[np.arange(len(channels)), channels] = 1 / (h * w)
    return delta


def _means(net: Network, layer: int, channels: Sequence[int], x: np.ndarray) -> np.ndarray:
    found = []
    for first, part in _batches(x):
        y = net.output(part, layer)
        maps = y.reshape(*y.shape[:2], -1)
        found += [maps[i, channels[first + i]].mean(dtype=np.float64) for i in range(len(part))]
    return np.array(found)


def _batches(x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for first in range(0, len(x), _BATCH):
        yield first, x[first : first + _BATCH]


def _sized(net: Network, size: int | None) -> Network:
    h, w, _ = net.in_shape
    if size is not None:
        return net.resized(size, size)
    if min(h, w) <= 128:
        return net
    try:
        return net.resized(128, 128)
    except ShapeError:
        return net


def check_channels(net: Network, layer: int, channels: Sequence[int]) -> None:
    """Raises ShapeError unless the network has this layer, and the layer these channels."""
    check_layers(net, [layer])
    if not len(channels):
        raise ShapeError(f"{net.path}: expected at least one channel of layer {layer}")
    of = net.layers[layer].out_shape.c
    for channel in channels:
        if not 0 <= channel < of:
            raise ShapeError(
                f"{net.path}: layer {layer} has no channel {channel}: expected 0 to {of - 1}"
            )
