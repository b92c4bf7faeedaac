"""Layers built from sections: shapes checked, references resolved, nothing allocated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darknet_py.cfg import keys
from darknet_py.cfg.rules import read_rules
from darknet_py.cfg.sections import Section
from darknet_py.errors import CfgError
from darknet_py.layers import LAYERS, BuildContext, Layer, Shape
from darknet_py.network.settings import Settings, read_settings

NET_NAMES = ("net", "network")
MAX_MAP = 2**31 - 1
"""Most elements of one picture's map, or of one parameter: int32, as in the C program."""


@dataclass(frozen=True)
class Plan:
    """A network without arrays: its settings, its layers, and warnings about the cfg."""

    settings: Settings
    layers: list[Layer]
    warnings: list[str]


def build(
    sections: Sequence[Section], path: str, strict: bool = False, rules: str | None = None
) -> Plan:
    """Builds every layer. rules: the program whose rules hold, None: as the cfg says. Raises
    CfgError; with strict also for what is otherwise a warning."""
    if not sections:
        raise CfgError(path, None, "has no sections: expected [net] and at least one layer")
    first = sections[0]
    if first.name not in NET_NAMES:
        first.fail("comes first: expected [net] or [network]")
    settings = read_settings(first, read_rules(sections, rules))
    if len(sections) == 1:
        first.fail("has no layers after it")
    layers = build_layers(sections, settings, settings.shape)
    warnings = [
        f"{section.path}:{line}: {message}"
        for section in sections
        for line, message in section.warnings()
    ]
    if strict and warnings:
        raise StrictError(warnings[0])
    return Plan(settings, layers, warnings)


def build_layers(
    sections: Sequence[Section],
    settings: Settings,
    in_shape: Shape,
    cfg_layers: Sequence[Layer] | None = None,
) -> list[Layer]:
    """The layers for an input of in_shape; cfg_layers are those of the cfg's own size."""
    layers: list[Layer] = []
    out_shapes: list[Shape] = []  # shared by all contexts, so that building takes linear time
    shape = in_shape
    for index, section in enumerate(sections[1:]):
        if section.name not in LAYERS:
            what = "layer that is computed here" if section.name in keys.LAYERS else "layer"
            known = ", ".join(sorted(LAYERS))
            section.fail(f"is no {what}: expected one of {known}")
        context = BuildContext(
            index=index,
            in_shape=shape,
            cfg_in_shape=cfg_layers[index].in_shape if cfg_layers else shape,
            out_shapes=out_shapes,
            time_steps=settings.time_steps,
            seed=settings.seed,
            layers=layers,
            rules=settings.rules,
        )
        layer = LAYERS[section.name](section, context)
        if min(layer.out_shape) < 1:
            given = f"a {layer.in_shape} input gives a {layer.out_shape} output"
            section.fail(f"{given}: expected at least 1 x 1 x 1")
        if layer.out_shape.size > MAX_MAP:
            section.fail(f"gives a {layer.out_shape} map: more than {MAX_MAP:,} numbers")
        _read_common(layer, section, settings)
        keys.read_others(section, layer.kind)
        for parameter in layer.parameters():
            parameter.owner = f"layer {index} [{layer.kind}]"
            if parameter.size > MAX_MAP:
                section.fail(f"asks for more than {MAX_MAP:,} numbers in its {parameter.name}")
        layers.append(layer)
        out_shapes.append(layer.out_shape)
        shape = layer.out_shape
    stops = [i for i, section in enumerate(sections[1:]) if section.get_flag("stopbackward")]
    for layer in layers[: max(stops, default=-1) + 1]:
        layer.frozen = True
    return layers


def table(layers: Sequence[Layer]) -> list[str]:
    """The lines of the layer table that the C program prints while it builds a network."""
    head = "layer     filters    size              input                output"
    return [head, *(f"{index:5d} {layer.describe()}" for index, layer in enumerate(layers))]


class StrictError(CfgError):
    """A warning that --strict makes an error."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)


def _read_common(layer: Layer, section: Section, settings: Settings) -> None:
    layer.learning_rate = section.get_float("learning_rate", 1, training=True)
    if layer.is_loss:
        layer.smooth = section.get_float("smooth", 0, minimum=0, maximum=1, training=True)
    layer.clip = section.get_float("clip", settings.clip, minimum=0, training=True)
    if any(parameter.name == "rolling_mean" for parameter in layer.parameters()):
        layer.use_global_stats = section.get_flag("use_global_stats")
    layer.dontload = section.get_flag("dontload")
    layer.dontsave = section.get_flag("dontsave")
