"""What a report is about, in numbers and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darknet_py.errors import ShapeError
from darknet_py.network import Network
from darknet_py.tasks.activations import LayerMaps, layer_activations
from darknet_py.tasks.classify import Prediction
from darknet_py.tasks.explain import Explanation, explain_picture
from darknet_py.tasks.explain.target import last_map
from darknet_py.tasks.filters import FirstFilters, first_filters
from darknet_py.tasks.pictures import Picture
from darknet_py.tasks.targets import class_probabilities
from darknet_py.tasks.valid import Evaluation

_CLASSES = 5
_EXPLAINED = 3
_CHANNELS = 12


@dataclass(frozen=True)
class LayerRow:
    """A layer's line: its section's name and keys as in the cfg, shapes as w x h x c, how many
    numbers it keeps, multiplications and additions for one picture."""

    index: int
    kind: str
    keys: str
    in_shape: str
    out_shape: str
    parameters: int
    operations: int


@dataclass(frozen=True)
class PictureReport:
    """One picture: what the network says, where it looks for the best classes (by Grad-CAM, or
    where no layer has a map by saliency), what its layers see (the strongest channels)."""

    picture: Picture
    predictions: list[Prediction]
    explanations: list[Explanation]
    layers: list[LayerMaps]


@dataclass(frozen=True)
class Report:
    """All of it. filters: None where no layer convolves; evaluation: None without a validation."""

    cfg: str
    weights: str
    layers: list[LayerRow]
    filters: FirstFilters | None
    seen: list[PictureReport]
    evaluation: Evaluation | None


def collect(
    net: Network,
    weights: str | Path,
    pictures: Sequence[Picture],
    names: Sequence[str],
    evaluation: Evaluation | None = None,
) -> Report:
    """Looks at the network and at each picture.

    Raises NotFiniteError where what the network gives for one is no number.
    """
    return Report(
        cfg=net.path,
        weights=str(weights),
        layers=_layer_rows(net),
        filters=_filters(net),
        seen=[_see(net, picture, names) for picture in pictures],
        evaluation=evaluation,
    )


def _layer_rows(net: Network) -> list[LayerRow]:
    return [
        LayerRow(
            index,
            layer.kind,
            ", ".join(f"{key}={value.text}" for key, value in section.values.items()),
            str(layer.in_shape),
            str(layer.out_shape),
            sum(parameter.size for parameter in layer.parameters()),
            layer.operations(),
        )
        for index, (layer, section) in enumerate(zip(net.layers, net.sections[1:], strict=True))
    ]


def _filters(net: Network) -> FirstFilters | None:
    try:
        return first_filters(net)
    except ShapeError:
        return None


def _method(net: Network) -> str:
    try:
        last_map(net)
    except ShapeError:
        return "saliency"
    return "gradcam"


def _see(net: Network, picture: Picture, names: Sequence[str]) -> PictureReport:
    (probabilities,) = class_probabilities(net, picture.x[None])
    best = explain_picture(net, picture, names, (), _method(net), top=_EXPLAINED)
    order = (-probabilities).argsort(kind="stable")[:_CLASSES].tolist()
    predictions = [Prediction(k, names[k], float(probabilities[k])) for k in order]
    layers = layer_activations(net, picture.x, top=_CHANNELS, name=picture.path)
    return PictureReport(picture, predictions, best, layers)
