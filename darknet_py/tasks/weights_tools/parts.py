"""What layers with weights are made of, whatever their kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.layers import Layer, Parameter


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
    ]


def put(parameter: Parameter, values: np.ndarray) -> None:
    """Gives a parameter values, of any float type and any shape of its size."""
    parameter.data = np.ascontiguousarray(values.reshape(parameter.shape), np.float32)
