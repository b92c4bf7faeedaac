"""A network as steps that any framework knows: what its builds for PyTorch and ONNX are made from.

Maps are (n, c, h, w) and vectors (n, c), as the frameworks have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, int, int]

EPSILON = 1e-6
"""Added to the standard deviation in batch normalisation."""


class UnsupportedError(Exception):
    """A layer or a setting that the benchmark cannot build elsewhere: one line."""


@dataclass(frozen=True, eq=False)
class Conv:
    """weights (filters, c / groups, size, size); biases (filters,), or None before a Norm."""

    weights: Array
    biases: Array | None
    stride: int
    padding: int
    groups: int


@dataclass(frozen=True, eq=False)
class Dense:
    """weights (outputs, c h w); biases as in Conv."""

    weights: Array
    biases: Array | None


@dataclass(frozen=True, eq=False)
class Norm:
    """(x - mean) / (sqrt(variance) + EPSILON) * scales + biases.

    The arrays are the network's own: who writes into them changes the network.
    """

    scales: Array
    biases: Array | None
    mean: Array
    variance: Array


@dataclass(frozen=True)
class Activate:
    name: str


@dataclass(frozen=True)
class Maxpool:
    """`before` and `after`: what the windows read beyond each end of (h, w), never a winner."""

    size: int
    stride: int
    before: int
    after: tuple[int, int]


@dataclass(frozen=True)
class Mean:
    """Of each channel."""


@dataclass(frozen=True)
class Concat:
    """Along the channels."""


@dataclass(frozen=True)
class Add:
    """alpha x + beta other where they meet, x elsewhere; the places are slices of (c, h, w)."""

    alpha: float
    beta: float
    x_at: tuple[slice, slice, slice]
    other_at: tuple[slice, slice, slice]


@dataclass(frozen=True)
class Crop:
    """scale x + (1 - scale), of a window."""

    top: int
    left: int
    scale: float


@dataclass(frozen=True)
class Lrn:
    """x / (kappa + alpha * sum)^beta: alpha is not divided by the size."""

    size: int
    alpha: float
    beta: float
    kappa: float


@dataclass(frozen=True)
class Softmax:
    """Within each of `groups` equal parts: of all numbers, or if spatial of a pixel's channels."""

    groups: int
    temperature: float
    spatial: bool


@dataclass(frozen=True)
class Dropout:
    probability: float


Operation = (
    Conv | Dense | Norm | Activate | Maxpool | Mean | Concat | Add | Crop | Lrn | Softmax | Dropout
)


@dataclass(frozen=True)
class Step:
    """An operation, the steps that it reads (-1: the picture), and the shape that it gives."""

    operation: Operation
    inputs: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True)
class Graph:
    """Steps in order; `ends` names for each layer of the network the step that gives its output.

    The last layer's output is the graph's.
    """

    shape: Shape
    steps: tuple[Step, ...]
    ends: tuple[int, ...]

    def truncated(self, layer: int) -> Graph:
        """The graph that gives this layer's output."""
        end = self.ends[layer]
        return Graph(self.shape, self.steps[: end + 1], self.ends[: layer + 1])

    def last_readers(self) -> dict[int, int]:
        """For each step that is read the last that reads it; the output is read after all."""
        last = {i: reader for reader, step in enumerate(self.steps) for i in step.inputs}
        last[self.ends[-1]] = len(self.steps)
        return last

    def has(self, *kinds: type) -> bool:
        """Whether a step is of one of these kinds."""
        return any(isinstance(step.operation, kinds) for step in self.steps)


def fold(graph: Graph) -> Graph:
    """The same in inference: normalisation within the weights before it, no dropout."""
    counts = _readers(graph)
    steps: list[Step] = []
    moved = {-1: -1}
    for index, step in enumerate(graph.steps):
        before = step.inputs[0]
        operation = step.operation
        alone = before >= 0 and counts[before] == 1 and before not in graph.ends
        if isinstance(operation, Dropout):
            moved[index] = moved[before]
        elif isinstance(operation, Norm) and alone and _has_weights(graph.steps[before]):
            target = moved[index] = moved[before]
            old = steps[target]
            steps[target] = Step(_folded(old.operation, operation), old.inputs, old.shape)
        else:
            moved[index] = len(steps)
            steps.append(Step(operation, tuple(moved[i] for i in step.inputs), step.shape))
    return Graph(graph.shape, tuple(steps), tuple(moved[end] for end in graph.ends))


def affine(norm: Norm) -> tuple[Array, Array]:
    """Normalisation by fixed statistics as factor * x + offset, in float64."""
    factor = norm.scales.astype(np.float64) / (np.sqrt(norm.variance.astype(np.float64)) + EPSILON)
    offset = -norm.mean * factor
    return factor, offset if norm.biases is None else offset + norm.biases


def _readers(graph: Graph) -> list[int]:
    """How many steps read each step."""
    counts = [0] * len(graph.steps)
    for step in graph.steps:
        for i in step.inputs:
            if i >= 0:
                counts[i] += 1
    return counts


def _has_weights(step: Step) -> bool:
    return isinstance(step.operation, Conv | Dense)


def _folded(operation: Operation, norm: Norm) -> Conv | Dense:
    assert isinstance(operation, Conv | Dense)
    factor, offset = affine(norm)
    per_filter = factor.reshape(-1, *[1] * (operation.weights.ndim - 1))
    weights = (operation.weights * per_filter).astype(np.float32)
    biases = offset if operation.biases is None else offset + factor * operation.biases
    biases = biases.astype(np.float32)
    if isinstance(operation, Dense):
        return Dense(weights, biases)
    return Conv(weights, biases, operation.stride, operation.padding, operation.groups)
