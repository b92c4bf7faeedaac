"""Where a training begins: given weights, drawn ones, or a state."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from darknet_py.cfg.data_file import read_lines
from darknet_py.cfg.sections import read_sections
from darknet_py.errors import DarknetError, TrainingError, WeightsError
from darknet_py.network import Network
from darknet_py.tasks.checkpoint import resume
from darknet_py.tasks.run import Options, Progress
from darknet_py.tasks.run_cfg import follow_rules, same_kind

# Layers by their numbers, as `--reinit` names them.

LAST = "last"


def layers_to_draw(net: Network, text: str) -> list[int]:
    """The layers that `18`, `10-13,18` or `last` names, ascending.

    Of a range, those that have weights; last: the last that has. Raises DarknetError where one has
    none, is not there, or is frozen and would stay as it was drawn.
    """
    with_weights = [i for i, layer in enumerate(net.layers) if layer.parameters()]
    layers = sorted({index for part in text.split(",") for index in _part(part, with_weights)})
    for index in layers:
        if index >= len(net.layers):
            raise DarknetError(
                f"--reinit {text}: there is no layer {index}: the last is {len(net.layers) - 1}"
            )
        if index not in with_weights:
            kind = net.layers[index].kind
            raise DarknetError(
                f"--reinit {text}: layer {index} [{kind}] has no weights: those that have are "
                f"{', '.join(map(str, with_weights)) or 'none'}"
            )
        if net.layers[index].frozen:
            raise DarknetError(
                f"--reinit {text}: layer {index} is frozen (stopbackward) and would learn nothing"
            )
    return layers


def _part(part: str, with_weights: list[int]) -> Iterator[int]:
    if part == LAST:
        # without any, layer 0 has none either, and is named
        yield with_weights[-1] if with_weights else 0
        return
    first, _, last = part.partition("-")
    if not last:
        yield int(first)
        return
    if int(first) > int(last):
        raise DarknetError(f"--reinit {part}: ends before it begins")
    inside = [index for index in with_weights if int(first) <= index <= int(last)]
    yield from inside or [int(first)]


@dataclass(frozen=True)
class Initialization:
    """weights: a file, or None for drawn ones; clear: `seen` is 0 again; reinit: which layers of
    weights are drawn anew, as text; state: a file to go on from instead."""

    weights: str | None = None
    clear: bool = False
    reinit: str | None = None
    state: Path | None = None
    head: int | None = None
    """The layer that has other outputs than in the cfg, and is drawn whatever weights has."""


def begin(net: Network, options: Options, initialization: Initialization) -> Progress | None:
    """Gives a network on paper its values, always the same ones; None: the run is a new one.

    Raises WeightsError, StateError, and DarknetError for layers that cannot be drawn.
    """
    if initialization.state is not None:
        return resume(net, initialization.state, options)
    layers = layers_to_draw(net, initialization.reinit) if initialization.reinit else []
    if initialization.weights and initialization.head is not None:
        load_all_but(net, initialization.head, initialization.weights)
    elif initialization.weights:
        net.load_weights(
            initialization.weights, partial=True, clear=initialization.clear, begin=True
        )
    net.initialise(options.seed)
    net.reinitialise(layers, options.seed)
    if not net.values_are_finite():
        raise WeightsError(
            f"{initialization.weights}: cannot be trained on: {first_bad_value(net)}"
        )
    return None


def load_all_but(net: Network, head: int, weights: str) -> None:
    """Gives a network whose layer `head` has other outputs than the cfg the weights of a file for
    the cfg, but for those of that layer: a new training, which has seen nothing. Raises
    WeightsError."""
    source = same_kind(net, read_sections(net.path))
    source.load_weights(weights, partial=True, begin=True)
    for index, (layer, other) in enumerate(zip(net.layers, source.layers, strict=False)):
        if index == head:
            continue
        for parameter, found in zip(layer.parameters(), other.parameters(), strict=True):
            if parameter.shape != found.shape:
                raise TrainingError(
                    f"{net.path}: layer {index} [{layer.kind}] has other weights than {weights}: "
                    "leave out --size"
                )
            parameter.data = found.data
    net.weights_path = source.weights_path
    follow_rules(net, source)


def first_bad_value(net: Network) -> str:
    """Which layer is the first whose parameters are not all numbers, in words."""
    for index, layer in enumerate(net.layers):
        for parameter in layer.parameters():
            if not net.ops.is_finite(parameter.data):
                where = f"layer {index} [{layer.kind}]"
                return f"{where} is the first with a value that is no number, in {parameter.name}"
    return "the average has a value that is no number"


def classes_warning(
    net: Network, initialization: Initialization, names: Sequence[str]
) -> str | None:
    """A line where the names beside the weights to begin with say that their outputs stand for
    other classes, or for these in another order, and the last layer keeps what it knows."""
    last = max((i for i, layer in enumerate(net.layers) if layer.parameters()), default=None)
    drawn = layers_to_draw(net, initialization.reinit) if initialization.reinit else []
    if initialization.weights is None or last in (None, initialization.head, *drawn):
        return None
    folder, stem = Path(initialization.weights).parent, Path(net.path).stem
    files = (Path(initialization.weights).with_suffix(".names"), folder / f"{stem}.names")
    file = next((each for each in files if os.path.isfile(each)), None)
    found = read_lines(file)[: len(names)] if file is not None else list(names)
    if found == list(names):
        return None
    number = next(i for i in range(len(names)) if found[i : i + 1] != [names[i]])
    was = f"{found[number]!r}" if number < len(found) else "none"
    return (
        f"{initialization.weights} knows other classes ({file}): output {number} was {was}, and is "
        f"{names[number]!r} here: --reinit last begins with none of them"
    )
