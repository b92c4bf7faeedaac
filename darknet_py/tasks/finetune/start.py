"""Where a fine-tuning begins: the weights that are copied, and those that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darknet_py.cfg.sections import Section
from darknet_py.cfg.write import changed
from darknet_py.errors import WeightsError
from darknet_py.network import Network
from darknet_py.tasks.finetune.head import learning_layers


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
