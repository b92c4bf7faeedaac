"""A last layer for other classes: the sections, the weights that are copied or drawn, its prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from darknet_py.cfg.sections import Section
from darknet_py.cfg.write import changed
from darknet_py.errors import WeightsError
from darknet_py.images import Dataset, Loader
from darknet_py.network import Network
from darknet_py.network.derived import averages
from darknet_py.tasks.outputs import NewHead, fit_outputs, learning_layers
from darknet_py.tasks.run_cfg import follow_rules, same_kind

_HOW = ("learning_rate", "stopbackward", "use_global_stats", "dontload", "dontsave")
"""Keys of layers that say how they were trained, not what they are."""


def with_new_head(net: Network, classes: int) -> NewHead:
    """As `fit_outputs`; what the cfg says about how layers were trained goes."""
    fitted = fit_outputs(net, classes)
    first, *rest = fitted.sections
    rest = [changed(section, **dict.fromkeys(_HOW)) for section in rest]
    return replace(fitted, sections=[first, *rest])


# Where a fine-tuning begins: the weights that are copied, and those that are drawn.


@dataclass(frozen=True)
class Start:
    """A network whose weights have values. drawn: the layers whose weights were not copied, and
    why, "new", "re-initialised" or "not in WEIGHTS"."""

    net: Network
    drawn: dict[int, str]


def start(
    net: Network,
    weights: str,
    sections: Sequence[Section],
    head: int,
    reinit: Sequence[int],
    seed: int,
) -> Start:
    """A network of `sections` with the weights of a file for `net`, but for the head's and those of
    layers to `reinit`, which are drawn. A partial file will do. Raises WeightsError, ShapeError."""
    loaded = net.load_weights(weights, partial=True, begin=True)
    in_file = [i for i in learning_layers(net.layers) if not net.layers[i].dontload]
    covered = in_file[: loaded.layers]
    new = same_kind(net, sections)
    follow_rules(new, net)
    drawn = {}
    for index in learning_layers(new.layers):
        if index == head:
            drawn[index] = "new"
        elif index in reinit:
            drawn[index] = "re-initialised"
        elif index not in covered:
            drawn[index] = "not in WEIGHTS"
        else:
            _copy(net, new, index)
    new.initialise(seed)
    new.reinitialise(sorted(drawn), seed)
    return Start(new, drawn)


def _copy(net: Network, new: Network, index: int) -> None:
    old = net.layers[index].parameters()
    for parameter, source in zip(new.layers[index].parameters(), old, strict=True):
        if parameter.shape != source.shape:
            raise WeightsError(
                f"{net.path}: layer {index} [{new.layers[index].kind}] has other weights at this "
                "--size: leave it out"
            )
        parameter.data = source.data


# How much the weights of a new last layer are to be held back, from what it reads.

_PICTURES = 64
"""Whose features are looked at."""
_VARIANCE = 10
"""Of a score, as it is expected before any picture was seen."""


def head_decay(net: Network, head: int, train: Dataset) -> float | None:
    """The decay with which layer `head`, drawn anew behind layers that stay, is to be trained; None
    where its features are all 0, or no numbers.

    It is that of logistic regression with a normal prior of the weights (ridge): 1 / (variance of a
    weight x pictures), the variance such that scores have one of 10, whatever the features' scale.
    Measured with Tiny Darknet's features: of 200 pictures .05 and .1 are best of 0.003 to 3, of
    1,000 .01 and .03, relative to the features' mean square; this gives .064 and .013.
    """
    layer = net.layers[head]
    source = max(layer.inputs)
    step = max(-(-len(train) // _PICTURES), 1)
    some = Dataset(train.names, train.paths[::step], train.labels[::step])
    h, w, c = net.in_shape
    squares = []
    for x, _ in Loader(some, w, h, c, _PICTURES, None).once():
        features = x if source < 0 else net.output(x, source)
        if source >= 0 and averages(net.layers, source):
            features = features.mean(axis=(2, 3))
        squares.append(float(np.square(features, dtype=np.float64).mean()))
    mean = sum(squares) / max(len(squares), 1)
    if not (math.isfinite(mean) and mean > 0):
        return None
    weights, biases = (
        next(each for each in layer.parameters() if each.name == name)
        for name in ("weights", "biases")
    )
    return weights.size / biases.size * mean / (_VARIANCE * len(train))
