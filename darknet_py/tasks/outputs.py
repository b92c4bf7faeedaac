"""The sections of a network for other classes, or for pictures of another size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darknet_py.cfg.sections import Section, parse_sections
from darknet_py.cfg.write import changed
from darknet_py.errors import TrainingError
from darknet_py.layers import Layer
from darknet_py.network import Network

_OUTPUTS = {"convolutional": "filters", "local": "filters", "connected": "output"}
"""Layers that may be the last that learns, and the key that says how many outputs they have."""
_DETECTORS = ("Gaussian_yolo", "detection", "region", "yolo")


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


def fit_outputs(net: Network, classes: int) -> NewHead:
    """The sections of `net` with as many outputs as there are classes.

    Where the network ends in a loss, its last layer with weights gets other outputs. One that ends
    in maps (vgg-conv, say) gets a 1x1 convolution, [avgpool] and [softmax] behind it. Raises
    TrainingError for a network that cannot have other classes: a detector, or a recurrent one.
    """
    _check_kind(net)
    sections = list(net.sections)
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
