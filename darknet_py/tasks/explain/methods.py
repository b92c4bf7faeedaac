"""The methods of explaining: saliency, Grad-CAM and Grad-CAM++, integrated gradients, occlusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from darknet_py.network import Network
from darknet_py.network.vjp import PICTURE
from darknet_py.tasks.explain.target import class_scores, repeated, score_delta, score_layer

# Saliency: the pixels whose change would change a class's score most.


def saliency(net: Network, x: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Of each class and pixel the largest |gradient of the score| of its colours.

    x (c, h, w) of the network's size -> (k, h, w), from 0 up. Source: Simonyan et al. 2013, "Deep
    Inside Convolutional Networks".
    """
    carried = net.vjp(
        repeated(x, len(classes)), score_delta(net, classes), score_layer(net), [PICTURE]
    )
    heat: np.ndarray = np.abs(carried.deltas[0]).max(axis=1)
    return heat


# Grad-CAM: the channels that raise a class's score, and where they see something.


def gradcam(net: Network, x: np.ndarray, classes: Sequence[int], layer: int) -> np.ndarray:
    """Of each class a heat map of a layer: relu(sum over channels of weight * map).

    A channel's weight is the mean over its pixels of the score's gradient. x (c, h, w) of the
    network's size -> (k, h', w'), from 0 up, in the score's units. Source: Selvaraju et al. 2017,
    "Grad-CAM: Visual Explanations from Deep Networks".
    """
    maps, gradients = maps_and_gradients(net, x, classes, layer)
    weights = gradients.mean(axis=(2, 3), keepdims=True)
    heat: np.ndarray = np.maximum((weights * maps).sum(axis=1), 0)
    return heat


def maps_and_gradients(
    net: Network, x: np.ndarray, classes: Sequence[int], layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """A layer's maps and, for each class, its score's gradient there: (k, c', h', w') both."""
    carried = net.vjp(
        repeated(x, len(classes)), score_delta(net, classes), score_layer(net), [layer]
    )
    return carried.maps[0], carried.deltas[0]


# Grad-CAM++: Grad-CAM for a class that is in the picture several times.


def gradcam_plus_plus(
    net: Network, x: np.ndarray, classes: Sequence[int], layer: int
) -> np.ndarray:
    """As gradcam, but every pixel of a channel has its own part in the channel's weight.

    weight = sum over pixels of alpha * relu(g), alpha = 1 / (2 + sum(map) g), g the score's
    gradient: from derivatives of exp(score), whose common factor is left out. The sum is that of
    what is above 0, as the paper's maps all are. Returns (k, h', w'), from 0 up, without a unit.
    On a map that is only averaged before the scores g is the same everywhere, and the picture is
    Grad-CAM's. Source: Chattopadhay et al. 2018, "Grad-CAM++", equations 10 and 19.
    """
    maps, g = maps_and_gradients(net, x, classes, layer)
    rising = np.maximum(g, 0)
    alpha = 1 / (2 + np.maximum(maps, 0).sum(axis=(2, 3), keepdims=True) * rising)
    weights = (alpha * rising).sum(axis=(2, 3), keepdims=True)
    heat: np.ndarray = np.maximum((weights * maps).sum(axis=1), 0)
    return heat


# Integrated gradients: a class's score shared out among the pixels, nothing left over.

STEPS = 128
WITHIN = 0.01
"""How far the sum of the parts may be from the rise of the score, as a share of it."""
_DOUBLINGS = 2
_STEPS_AT_ONCE = 8


class Integrated(NamedTuple):
    """parts (k, c, h, w): of each class what every colour of every pixel adds to its score;
    rise (k,): the score of the picture less that of the baseline, which the parts sum to but for
    the error of the sum over steps."""

    parts: np.ndarray
    rise: np.ndarray


def integrated_gradients(
    net: Network,
    x: np.ndarray,
    classes: Sequence[int],
    baseline: np.ndarray | None = None,
    steps: int = STEPS,
    within: float = WITHIN,
) -> Integrated:
    """(x - baseline) times the mean gradient of the score on the straight way between them.

    x (c, h, w) of the network's size; baseline: the same, black unless given. The mean is taken
    over `steps` parts of the way, which grow with the distance from the baseline, where the score
    bends most; they are doubled, twice at most, while the sum of the parts is off by more than
    `within` of the rise. Source: Sundararajan et al. 2017, "Axiomatic Attribution for Deep
    Networks".
    """
    start = np.zeros_like(x) if baseline is None else baseline.astype(x.dtype)
    scores = class_scores(net, np.stack([start, x])).astype(np.float64)
    rises = (scores[1] - scores[0])[list(classes)]
    parts = []
    for index, rise in zip(classes, rises.tolist(), strict=True):
        for doubled in range(_DOUBLINGS + 1):
            found = _parts(net, start, x, index, steps << doubled)
            if abs(float(found.sum()) - rise) <= within * abs(rise):
                break
        parts.append(found)
    return Integrated(np.stack(parts), rises)


def _parts(net: Network, start: np.ndarray, x: np.ndarray, index: int, steps: int) -> np.ndarray:
    """(c, h, w) float64: the middles' gradients times the lengths of `steps` parts of the way."""
    layer = score_layer(net)
    edges = np.linspace(0, 1, steps + 1) ** 2
    middles, lengths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    mean = np.zeros(x.shape)
    for first in range(0, steps, _STEPS_AT_ONCE):
        part = slice(first, first + _STEPS_AT_ONCE)
        way = start + middles[part].astype(x.dtype)[:, None, None, None] * (x - start)
        delta = score_delta(net, [index] * len(way))
        gradients = net.vjp(way, delta, layer, [PICTURE]).deltas[0]
        mean += np.tensordot(lengths[part], gradients, axes=1)
    parts: np.ndarray = (x - start) * mean
    return parts


# Occlusion: how much a class's score falls where the picture is covered.

_SHARE = 6
"""The shorter side of the picture holds so many covers side by side."""
_PLACES_AT_ONCE = 16
_GREY = 0.5


def occlusion(
    net: Network, x: np.ndarray, classes: Sequence[int], size: int | None = None
) -> np.ndarray:
    """Of each class and pixel the mean fall of the score over the covers that hid the pixel.

    Covers are grey (0.5) squares of `size` pixels, half of it apart, the last ones at the edges; a
    sixth of the shorter side unless said. x (c, h, w) of the network's size -> (k, h, w), in the
    score's units, below 0 where the score rose. Source: Zeiler, Fergus 2013, "Visualizing and
    Understanding Convolutional Networks".
    """
    _, h, w = x.shape
    size = min(size or max(min(h, w) // _SHARE, 1), h, w)
    places = [(top, left) for top in _starts(h, size) for left in _starts(w, size)]
    chosen = list(classes)
    whole = class_scores(net, x[None])[0, chosen]
    falls = np.zeros((len(chosen), h, w))
    count = np.zeros((h, w))
    for first in range(0, len(places), _PLACES_AT_ONCE):
        part = places[first : first + _PLACES_AT_ONCE]
        scores = class_scores(net, _covered(x, part, size))[:, chosen]
        for (top, left), each in zip(part, scores, strict=True):
            falls[:, top : top + size, left : left + size] += (whole - each)[:, None, None]
            count[top : top + size, left : left + size] += 1
    heat: np.ndarray = (falls / count).astype(np.float32)
    return heat


def _starts(length: int, size: int) -> list[int]:
    """Where covers begin along a side, so that every pixel is hidden."""
    step = max(size // 2, 1)
    return [*range(0, length - size, step), length - size]


def _covered(x: np.ndarray, places: Sequence[tuple[int, int]], size: int) -> np.ndarray:
    covered = np.repeat(x[None], len(places), axis=0)
    for picture, (top, left) in zip(covered, places, strict=True):
        picture[:, top : top + size, left : left + size] = _GREY
    return covered
