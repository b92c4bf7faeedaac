"""Where in a network an explanation begins and ends: the scores, and the map that is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darknet_py.errors import ShapeError
from darknet_py.network import Network
from darknet_py.tasks.targets import output_of, scores_of

_SAYS_PROBABILITIES = ("cost", "logistic", "softmax")
_BLURS_PLACES = ("dropout", "maxpool")


def score_layer(net: Network) -> int:
    """The layer whose output is the scores of the classes: before [softmax] or [logistic].

    A probability depends on the scores of all classes: what speaks against the others would be
    shown with what speaks for this one.
    """
    index = net.output_layer
    while index > 0 and net.layers[index].kind in _SAYS_PROBABILITIES:
        index -= 1
    return index


def last_map(net: Network) -> int:
    """The last layer with a map of more than one pixel, before it is pooled.

    Raises ShapeError where the scores come from vectors alone.
    """
    for index in range(score_layer(net) - 1, -1, -1):
        h, w, _ = net.layers[index].out_shape
        if h * w > 1 and net.layers[index].kind not in _BLURS_PLACES:
            return index
    raise ShapeError(
        f"{net.path}: has no layer with a map before its scores: expected the method integrated, "
        "occlusion or saliency, which look at the picture"
    )


def check_map_layer(net: Network, layer: int) -> None:
    """Raises ShapeError unless `layer` has a map of more than one pixel and comes before the
    scores."""
    last = score_layer(net) - 1
    if not 0 <= layer <= last:
        raise ShapeError(
            f"{net.path}: layer {layer} is not before the scores: expected 0 to {last}"
        )
    h, w, _ = net.layers[layer].out_shape
    if h * w == 1:
        raise ShapeError(
            f"{net.path}: layer {layer} [{net.layers[layer].kind}] has one pixel: choose one with "
            f"a map, such as {last_map(net)}"
        )


def class_scores(net: Network, x: np.ndarray) -> np.ndarray:
    """The scores (n, classes) of pictures (n, c, h, w)."""
    return scores_of(net, net.output(x, score_layer(net)).reshape(len(x), -1))


def score_delta(net: Network, classes: Sequence[int]) -> np.ndarray:
    """The delta (k, outputs) of the score layer that asks for the gradient of each score."""
    delta = np.zeros((len(classes), net.outputs), np.float32)
    for row, label in zip(delta, classes, strict=True):
        output, sign = output_of(net, label)
        row[output] = sign
    return delta


def repeated(x: np.ndarray, count: int) -> np.ndarray:
    """One picture (c, h, w) as a batch (count, c, h, w)."""
    return np.ascontiguousarray(np.broadcast_to(x, (count, *x.shape)))
