"""The first layer, for pictures of another range or another order of colours."""

from __future__ import annotations

from darknet_py.errors import DarknetError
from darknet_py.network import Network
from darknet_py.tasks.weights_tools.files import Part, parts_of, put

_READS = {"convolutional", "connected"}
_BEFORE = {"crop", "dropout", "maxpool", "avgpool"}
"""Kinds that may stand before the first weights: they do to 2x - 1 what they do to x, and treat
channels alike."""


def rescale(net: Network) -> list[str]:
    """Makes a network that was trained on pictures of -1..1 take pictures of 0..1: what it gives
    for x is what it gave for 2x - 1. What else is to be done, in lines.

    Source: rescale_weights of darknet's convolutional_layer.c, which is wrong before batch norm.
    Raises DarknetError.
    """
    index, part = _first_part(net)
    if net.settings.mean or net.settings.deviation:
        raise DarknetError(f"{net.path}: has mean= or std= in [net]: its pictures are 0..1 already")
    for key in ("xnor", "binary"):
        if getattr(net.layers[index], key, False):
            raise DarknetError(
                f"{net.path}: layer {index} [convolutional] has {key}=1: of its weights the signs "
                "count, which cannot make up for pictures of another range"
            )
    rows = part.rows()
    shift = rows.sum(axis=-1)
    put(part.weights, 2 * rows)
    if part.norm is None:
        put(part.biases, part.biases.data - shift)
    else:
        _, mean, _ = part.norm
        put(mean, mean.data + shift)
    net.changed()
    return [*_crop_notes(net, index), *_padding_notes(net, index)]


def swap_red_and_blue(net: Network) -> list[str]:
    """Makes a network take pictures with red and blue exchanged. What else is to be done, in lines.

    Source: rgbgr_weights of darknet's convolutional_layer.c. Raises DarknetError.
    """
    index, part = _first_part(net)
    layer = net.layers[index]
    if layer.in_shape.c != 3 or getattr(layer, "groups", 1) != 1:
        raise DarknetError(
            f"{net.path}: layer {index} [{layer.kind}] does not read red, green and blue together: "
            "expected 3 channels and no groups"
        )
    put(part.weights, part.weights.data.reshape(-1, 3)[:, ::-1])
    net.changed()
    keys = [
        key
        for key, values in (("mean", net.settings.mean), ("std", net.settings.deviation))
        if values and values[0] != values[-1]
    ]
    return [f"exchange the first and the last number of {key}= in [net], too" for key in keys]


def _first_part(net: Network) -> tuple[int, Part]:
    """The layer that reads the picture, and its weights. Raises DarknetError."""
    index = next((i for i, layer in enumerate(net.layers) if layer.parameters()), None)
    if index is None:
        raise DarknetError(f"{net.path}: no layer has weights")
    layer = net.layers[index]
    if layer.kind not in _READS:
        raise DarknetError(
            f"{net.path}: layer {index} [{layer.kind}] reads the picture: expected "
            "[convolutional] or [connected]"
        )
    for i, before in enumerate(net.layers[:index]):
        if before.kind not in _BEFORE:
            raise DarknetError(
                f"{net.path}: layer {i} [{before.kind}] stands between the picture and the first "
                f"weights, those of layer {index}: its weights alone cannot make up for a change"
            )
    for i, other in enumerate(net.layers[index + 1 :], index + 1):
        if min(other.inputs) < index:
            raise DarknetError(
                f"{net.path}: layer {i} [{other.kind}] reads the picture beside layer {index}"
            )
        if other.shares is layer:
            raise DarknetError(
                f"{net.path}: layer {i} [{other.kind}] shares the weights of layer {index}, which "
                "cannot be changed for one of them alone"
            )
    (part,) = parts_of(layer)
    return index, part


def _crop_notes(net: Network, index: int) -> list[str]:
    return [
        f"add noadjust=1 to [crop], layer {i}: it makes pictures -1..1"
        for i, layer in enumerate(net.layers[:index])
        if getattr(layer, "scale", 1) != 1
    ]


def _padding_notes(net: Network, index: int) -> list[str]:
    if not net.layers[index].input_window.before:
        return []
    return [
        f"layer {index} pads with zeros, which were grey and are black now: answers differ a "
        "little (not with the old weights and mean=.5 and std=.5 in [net], here)"
    ]
