"""What `darknet plan` says of a call: its name and its operations."""

from __future__ import annotations

import math

from darknet_py.ops.graph import Node


def name_of(call: Node) -> str:
    """As a plan of the CPU names it, where it has such a step."""
    if call.name not in ("convolve", "convolve_all"):
        return call.name
    weights = call.arguments[1]
    before, added, after = call.arguments[3:6]
    window = "dense" if call.name == "convolve_all" else f"{weights.shape[1]}x{weights.shape[1]}"
    stride = f"/{call.arguments[6]}" if call.name == "convolve" else ""
    parts = [f"{window}{stride} {weights.shape[0]}"]
    parts += [before] if before != "linear" else []
    parts += ["shortcut"] if added is not None else []
    parts += [after] if after != "linear" else []
    return " + ".join(parts)


def operations_of(call: Node) -> int:
    """Multiplications and additions of a convolution, as if computed directly; 0 of all others."""
    if not call.name.startswith("convolve"):
        return 0
    one, other, y = call.arguments[0].shape, call.arguments[1].shape, call.result.shape
    weights: tuple[int, ...] = other
    if call.name.endswith("_weights"):
        weights, y = y, one
    elif call.name.endswith("_input"):
        y = one
    return 2 * math.prod(weights) * (math.prod(y) // weights[0])


def shape_of(call: Node) -> tuple[int, ...]:
    """Of what it writes, or reads where it has no result."""
    return (call.results or call.maps())[0].shape
