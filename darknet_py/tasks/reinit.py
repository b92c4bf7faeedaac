"""Layers by their numbers, as `--reinit` names them."""

from __future__ import annotations

from collections.abc import Iterator

from darknet_py.errors import DarknetError
from darknet_py.network import Network

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
