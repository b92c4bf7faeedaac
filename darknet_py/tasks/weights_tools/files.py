"""Weights of whole networks: what a tool may read and write, their mean, their first layers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.layers import Layer, Parameter
from darknet_py.network import Network

# What layers with weights are made of, whatever their kind.


@dataclass(frozen=True)
class Part:
    """Weights (outputs, ...), the channels that they read last, their biases (outputs,) and, if it
    is normalised, its norm, each (outputs,)."""

    biases: Parameter
    weights: Parameter
    norm: tuple[Parameter, Parameter, Parameter] | None
    """scales, rolling_mean, rolling_variance"""

    def rows(self) -> np.ndarray:
        """The weights in float64, (outputs, what each reads)."""
        rows: np.ndarray = self.weights.data.astype(np.float64).reshape(self.biases.size, -1)
        return rows


def parts_of(layer: Layer) -> list[Part]:
    """One of [convolutional] and [connected], several of recurrent layers, else none."""
    groups: list[dict[str, Parameter]] = []
    for parameter in layer.parameters():
        if parameter.name == "biases":
            groups.append({})
        if groups:
            groups[-1][parameter.name] = parameter
    return [
        Part(
            group["biases"],
            group["weights"],
            (group["scales"], group["rolling_mean"], group["rolling_variance"])
            if "scales" in group
            else None,
        )
        for group in groups
        if "weights" in group  # [batchnorm] has biases alone, by AlexeyAB's rules
    ]


def put(parameter: Parameter, values: np.ndarray) -> None:
    """Gives a parameter values, of any float type and any shape of its size."""
    parameter.data = np.ascontiguousarray(values.reshape(parameter.shape), np.float32)


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path], overwrite: bool) -> None:
    """Weights are days of work: no tool writes over what it reads, nor, unless `overwrite`, over
    anything. Raises DarknetError."""
    read = [path for path in inputs if os.path.exists(path)]
    for path in outputs:
        if os.path.exists(path) and any(path.samefile(other) for other in read):
            raise DarknetError(f"{path}: is read and would be written over: name another file")
        if os.path.exists(path) and not overwrite:
            raise DarknetError(f"{path}: is there already: name another file, or add --overwrite")


def check_stored(net: Network) -> None:
    """Raises DarknetError where a file of the network does not hold all layers."""
    for index, layer in enumerate(net.layers):
        for key in ("dontload", "dontsave"):
            if layer.parameters() and getattr(layer, key):
                raise DarknetError(
                    f"{net.path}: layer {index} [{layer.kind}] has {key}=1, and so no weights of "
                    "its own in a file: remove the key"
                )


# The mean of several files of weights.


def average(net: Network, weights: Sequence[str | Path]) -> None:
    """Gives a network the mean of these files, of every number in them, computed in float64.

    Batches count as seen by the first. Source: `average` of darknet.c, which leaves out the norm
    of connected layers and all but these and convolutions.
    """
    sums, seen = [np.zeros(parameter.shape) for parameter in net.parameters()], []
    programs = set[str]()
    for path in weights:
        net.load_weights(path)
        programs.add(net.settings.rules.program)
        if len(programs) > 1:
            raise DarknetError(
                f"{path}: was trained by another program's rules than {weights[0]}: there is no "
                "mean of both (--rules says that they are one's)"
            )
        seen.append(net.seen)
        for total, parameter in zip(sums, net.parameters(), strict=True):
            total += parameter.data
    for total, parameter in zip(sums, net.parameters(), strict=True):
        put(parameter, total / len(weights))
    net.seen = seen[0]
    net.changed()


# The first layers of a network alone.


def first_layers(net: Network, weights: str | Path, count: int) -> Network:
    """The first `count` layers with their weights, from a file that may end after them.

    No batch counts as seen, as in the C program: training begins with them. Raises DarknetError
    where there are not so many, or none of them has weights.
    """
    if not 1 <= count <= len(net.layers):
        raise DarknetError(
            f"{net.path}: has {len(net.layers)} layers, and not the first {count} of them"
        )
    part = net.truncated(count - 1)
    if not part.parameters():
        raise DarknetError(f"{net.path}: the first {count} layers have no weights")
    part.load_weights(weights, clear=True)
    return part
