"""What to dream of: which layers, and what of them, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darknet_py.errors import DreamError
from darknet_py.network import Network
from darknet_py.network.targets import Guided, Score, StandOut, Target
from darknet_py.tasks.names import find_class
from darknet_py.tasks.targets import class_count, output_of

_NO_DREAM = {"softmax", "logistic", "cost", "region", "yolo"}
"""Kinds of layers whose outputs are what the network says, not what it sees."""

MOST_LAYERS = 5_000
"""Of a network that dreams: what a layer sees of a picture is worked out exactly."""


@dataclass(frozen=True)
class DreamTarget:
    """What someone asks for: one of `layer` (with `span` layers around it to draw from), `layers`
    with weights (one such set, or several to draw from), and `label`, a class by its name or, as
    `class_number` finds it, by its number.

    thresh: deviations from the mean beyond which a feature stands out. channels: the only ones
    that count; all if there are none.
    """

    layer: int | None = None
    span: int = 1
    layers: tuple[tuple[tuple[int, float], ...], ...] = ()
    label: str | int | None = None
    channels: tuple[int, ...] = ()
    thresh: float = 1.0

    @property
    def title(self) -> str:
        """Stands in the names of files."""
        if self.label is not None:
            return "".join(c if c.isalnum() else "-" for c in str(self.label))
        if self.layer is not None:
            return str(self.layer)
        return "+".join(str(i) for i in dict.fromkeys(i for each in self.layers for i, _ in each))


Choice = list[tuple[int, float]]
"""Layers and their weights: what one step moves towards."""


def check_depth(net: Network) -> None:
    """Raises DreamError for a network of more than MOST_LAYERS layers."""
    if len(net.layers) > MOST_LAYERS:
        raise DreamError(
            f"{net.path}: has {len(net.layers):,} layers: one that dreams has at most "
            f"{MOST_LAYERS:,}"
        )


def choices(net: Network, target: DreamTarget) -> list[Choice]:
    """What each step draws from, by the cfg alone. Raises DreamError for what cannot be."""
    if target.label is not None:
        scores = scores_layer(net)
        if scores is None:
            raise DreamError(
                f"{net.path}: has no [softmax] or [logistic] that knows classes: name a layer "
                "instead"
            )
        return [[(scores, 1.0)]]
    if target.layer is not None:
        first = target.layer - target.span // 2
        found: list[Choice] = [[(layer, 1.0)] for layer in range(first, first + target.span)]
        if target.span > 1 and not 0 <= first <= first + target.span <= len(net.layers):
            raise DreamError(
                f"{net.path}: layers {first} to {first + target.span - 1} leave the network, whose "
                f"layers are 0 to {len(net.layers) - 1}: take a smaller -range"
            )
    else:
        found = [list(each) for each in target.layers]
    for choice in found:
        for layer, _ in choice:
            _check_layer(net, layer, target.channels)
    return found


def class_number(net: Network, label: str | int, names: Sequence[str]) -> int:
    """Of a class by its name, or by its number. net: the whole one. Raises DarknetError."""
    if isinstance(label, str):
        return find_class(label, names)
    if label >= class_count(net):
        raise DreamError(f"{net.path}: there is no class {label}: it has {class_count(net)}")
    return label


def can_dream(net: Network, layer: int) -> bool:
    """Whether there is something to see at a layer."""
    return net.layers[layer].kind not in _NO_DREAM


def last_layer(found: Sequence[Choice]) -> int:
    """The last that any choice needs."""
    return max(layer for choice in found for layer, _ in choice)


def targets(
    net: Network, target: DreamTarget, found: Sequence[Choice], guide: Any = None
) -> list[list[Target]]:
    """What each choice moves towards; a label is the number of a class. guide: another picture,
    (h, w, c), whose features are to be found."""
    if target.label is not None:
        return [[Score(found[0][0][0], *output_of(net, int(target.label)))]]
    if guide is None:
        return [
            [StandOut(layer, target.thresh, target.channels, weight) for layer, weight in choice]
            for choice in found
        ]
    layers = sorted({layer for choice in found for layer, _ in choice})
    seen = dict(zip(layers, net.outputs_of(guide.transpose(2, 0, 1)[None], layers), strict=True))
    features = {layer: _as_rows(y) for layer, y in seen.items()}
    return [
        [Guided(layer, features[layer], weight) for layer, weight in choice] for choice in found
    ]


def _as_rows(y: np.ndarray) -> np.ndarray:
    """(1, c, h, w) to (h w, c)."""
    return np.ascontiguousarray(y[0].reshape(y.shape[1], -1).T)


def scores_layer(net: Network) -> int | None:
    """The layer whose output the last [softmax] or [logistic] makes probabilities of, if there is
    one."""
    for layer in reversed(net.layers):
        if layer.kind in ("softmax", "logistic") and layer.out_shape[:2] == (1, 1):
            (before,) = layer.inputs
            if before >= 0:
                return int(before)
    return None


def _check_layer(net: Network, layer: int, channels: Sequence[int]) -> None:
    if not 0 <= layer < len(net.layers):
        raise DreamError(
            f"{net.path}: there is no layer {layer}: expected 0 to {len(net.layers) - 1}"
        )
    if not can_dream(net, layer):
        last = max((i for i in range(len(net.layers)) if can_dream(net, i)), default=None)
        other = "none of it can" if last is None else f"the last that can is {last}"
        kind = "" if last is None else f" [{net.layers[last].kind}]"
        raise DreamError(
            f"{net.path}: layer {layer} [{net.layers[layer].kind}] cannot dream: {other}{kind}"
        )
    count = net.layers[layer].out_shape.c
    for channel in channels:
        if not 0 <= channel < count:
            raise DreamError(
                f"{net.path}: layer {layer} has no channel {channel}: expected 0 to {count - 1}"
            )
