"""A last layer for other classes: the sections, the weights that are copied or drawn, its prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.cfg.sections import Section, parse_sections
from darknet_py.cfg.write import changed
from darknet_py.errors import TrainingError, WeightsError
from darknet_py.images import Dataset, Loader
from darknet_py.layers import Layer
from darknet_py.network import Network
from darknet_py.network.derived import averages

_OUTPUTS = {"convolutional": "filters", "local": "filters", "connected": "output"}
"""Layers that may be the last that learns, and the key that says how many outputs they have."""
_DETECTORS = ("region", "yolo")
_HOW = ("learning_rate", "stopbackward", "use_global_stats", "dontload", "dontsave")
"""Keys of layers that say how they were trained, not what they are."""


@dataclass(frozen=True)
class NewHead:
    """Sections of a network for other classes. head: the layer that is new; added: whether it was
    added behind a network that had none, instead of taking a last layer's place."""

    sections: list[Section]
    head: int
    added: bool


def learning_layers(layers: Sequence[Layer]) -> list[int]:
    """The layers that have weights."""
    return [index for index, layer in enumerate(layers) if layer.parameters()]


def with_new_head(net: Network, classes: int) -> NewHead:
    """The sections of `net` with as many outputs as there are classes.

    Where the network ends in a loss, its last layer with weights gets other outputs. One that ends
    in maps (vgg-conv, say) gets a 1x1 convolution, [avgpool] and [softmax] behind it. What the cfg
    says about how layers were trained goes. Raises TrainingError for a network that cannot be
    fine-tuned: a detector, or a recurrent one.
    """
    _check_kind(net)
    sections = [net.sections[0]]
    sections += [changed(section, **dict.fromkeys(_HOW)) for section in net.sections[1:]]
    if not net.layers[-1].is_loss:
        head = len(sections) - 1
        return NewHead([*sections, *_added(net, classes)], head, True)
    head = learning_layers(net.layers)[-1]
    layer = net.layers[head]
    if layer.kind not in _OUTPUTS:
        raise TrainingError(
            f"{net.path}: layer {head} [{layer.kind}] is the last with weights: expected one of "
            f"{', '.join(_OUTPUTS)} to give another number of outputs"
        )
    sections[head + 1] = changed(sections[head + 1], **{_OUTPUTS[layer.kind]: classes})
    return NewHead(sections, head, False)


def _added(net: Network, classes: int) -> list[Section]:
    text = f"[convolutional]\nfilters={classes}\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\n"
    return parse_sections(text, net.path)


def _check_kind(net: Network) -> None:
    if net.settings.time_steps > 1:
        raise TrainingError(f"{net.path}: is a recurrent network: expected a classifier")
    for index, layer in enumerate(net.layers):
        if layer.kind in _DETECTORS:
            raise TrainingError(
                f"{net.path}: layer {index} [{layer.kind}] makes it a detector: expected a "
                "classifier, or its layers before the detection"
            )
    if not learning_layers(net.layers):
        raise TrainingError(f"{net.path}: has no layer with weights to train")


# Where a fine-tuning begins: the weights that are copied, and those that are drawn.


@dataclass(frozen=True)
class Start:
    """A network whose weights have values. drawn: the layers whose weights were not copied, and
    why, "new", "re-initialised" or "not in WEIGHTS"."""

    net: Network
    drawn: dict[int, str]


def sized(sections: Sequence[Section], size: int | None) -> list[Section]:
    """The sections for pictures of size x size; crops grow or shrink alike."""
    net, *rest = sections
    if size is None:
        return [net, *rest]
    keys: dict[str, str | float | None] = {"width": size, "height": size, "inputs": None}
    width = net.get_int("width", size)
    for key in ("min_crop", "max_crop"):
        if key in net:
            keys[key] = max(round(net.get_int(key, width) * size / width), 1)
    return [changed(net, **keys), *rest]


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
    engine = net.engine
    new = Network(sections, net.path, net.ops, exact=engine.exact, half=engine.half)
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
    weight x pictures). The variance is such that scores, sums of as many features as a filter
    reads, have one of 10, whatever the features' scale: so few pictures hold the weights back much,
    and many hardly. Found with Tiny Darknet's features: of 200 pictures .05 and .1 are best of
    0.003 to 3, of 1,000 .01 and .03, relative to the features' mean square, and this gives .064 and
    .013.
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
