"""The layers of a Network as a graph: the one place that knows what each section means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darknet_py.layers import Layer, Parameter
from darknet_py.network import Network
from scripts.benchmark.graph import (
    Activate,
    Add,
    Array,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Graph,
    Lrn,
    Maxpool,
    Mean,
    Norm,
    Operation,
    Shape,
    Softmax,
    Step,
    UnsupportedError,
)

ACTIVATIONS = ("leaky", "linear", "logistic", "ramp", "relu")
"""Those that the peers' builds know."""


def walk(net: Network) -> Graph:
    """The graph of a network whose parameters have values. Raises UnsupportedError."""
    steps: list[Step] = []
    ends: list[int] = []
    for index, layer in enumerate(net.layers):
        reads = tuple(ends[i] if i >= 0 else -1 for i in layer.inputs)
        operations = _operations(index, layer)
        for operation in operations:
            shape = _chw(layer.out_shape)
            steps.append(Step(operation, reads, shape))
            reads = (len(steps) - 1,)
        ends.append(reads[0])
    return Graph(_chw(net.in_shape), tuple(steps), tuple(ends))


def _chw(shape: Any) -> Shape:
    h, w, c = shape
    return c, h, w


def _operations(index: int, layer: Any) -> list[Operation]:
    """A layer as operations, each of which reads the one before it; none: it hands its input on."""
    if layer.kind not in _KINDS:
        raise UnsupportedError(f"layer {index} [{layer.kind}] is not known to the benchmark")
    operations = _KINDS[layer.kind](layer)
    for operation in operations:
        if isinstance(operation, Activate) and operation.name not in ACTIVATIONS:
            raise UnsupportedError(
                f"layer {index} [{layer.kind}]: activation={operation.name} "
                "is not known to the benchmark"
            )
    return operations


def _file_order(parameter: Parameter) -> Array:
    """A parameter's values in darknet's order and shape.

    Not `value`: what has been handed out is looked at before each prediction, which is no part of
    one.
    """
    return parameter.to_file(parameter.data).reshape(parameter.file_shape or parameter.shape)


def _norm(norm: Any, biases: Array | None) -> Norm:
    mean, variance = norm.rolling_mean.data, norm.rolling_variance.data
    return Norm(norm.scales.data, biases, mean, variance)


def _activate(name: str) -> list[Operation]:
    return [] if name == "linear" else [Activate(name)]


def _weighted(part: Any, make: Callable[[Array, Array | None], Operation]) -> list[Operation]:
    """Of whatever has weights, biases, norm and activation."""
    weights, biases = _file_order(part.weights), part.biases.data
    if part.norm is None:
        return [make(weights, biases), *_activate(part.activation)]
    return [make(weights, None), _norm(part.norm, biases), *_activate(part.activation)]


def _convolutional(layer: Any) -> list[Operation]:
    if layer.blur or layer.dilation > 1 or isinstance(layer.stride, tuple):
        raise UnsupportedError("[convolutional] with antialiasing=, dilation= or two strides")
    window = layer.stride, layer.padding, layer.groups
    return _weighted(layer, lambda weights, biases: Conv(weights, biases, *window))


def _connected(layer: Any) -> list[Operation]:
    def make(weights: Array, biases: Array | None) -> Dense:
        return Dense(weights.reshape(len(weights), -1), biases)

    return _weighted(layer.dense, make)


def _maxpool(layer: Any) -> list[Operation]:
    size, stride, padding = layer.window
    if layer.blur or layer.depth or isinstance(stride, tuple):
        raise UnsupportedError("[maxpool] with antialiasing=, maxpool_depth= or two strides")
    before = padding // 2
    ends = [
        max((out - 1) * stride + size - before - length, 0)
        for out, length in zip(layer.out_shape[:2], layer.in_shape[:2], strict=True)
    ]
    return [Maxpool(size, stride, before, (ends[0], ends[1]))]


def _shortcut(layer: Any) -> list[Operation]:
    x_at, other_at = rendezvous(_chw(layer.in_shape), _chw(layer.from_shape))
    return [Add(layer.alpha, layer.beta, x_at, other_at), *_activate(layer.activation)]


def rendezvous(
    x: Shape, other: Shape
) -> tuple[tuple[slice, slice, slice], tuple[slice, slice, slice]]:
    """Where two maps meet: the first channels, and of the larger map every so manieth pixel."""
    both = slice(0, min(x[0], other[0]), 1)
    rows, columns = (_sampled(x[axis], other[axis]) for axis in (1, 2))
    return (both, rows[0], columns[0]), (both, rows[1], columns[1])


def _sampled(x: int, other: int) -> tuple[slice, slice]:
    count, sample, stride = min(x, other), max(x // other, 1), max(other // x, 1)
    return (
        slice(0, (count - 1) * sample + 1, sample),
        slice(0, (count - 1) * stride + 1, stride),
    )


def _crop(layer: Any) -> list[Operation]:
    spare = (layer.in_shape[axis] - layer.out_shape[axis] for axis in (0, 1))
    top, left = (length // 2 for length in spare)
    return [Crop(top, left, layer.scale)]


def _normalization(layer: Any) -> list[Operation]:
    lrn = Lrn(*layer.settings)
    if lrn.size % 2 == 0:
        raise UnsupportedError(f"[normalization]: ONNX Runtime has no even size={lrn.size}")
    return [lrn]


def _softmax(layer: Any) -> list[Operation]:
    return [Softmax(layer.groups, layer.temperature, not layer.is_vector)]


def _route(layer: Layer) -> list[Operation]:
    return [Concat()] if len(layer.inputs) > 1 else []


_KINDS: dict[str, Callable[[Any], list[Operation]]] = {
    "activation": lambda layer: _activate(layer.activation),
    "avgpool": lambda _: [Mean()],
    "batchnorm": lambda layer: [_norm(layer.norm, None)],
    "connected": _connected,
    "convolutional": _convolutional,
    "cost": lambda _: [],
    "crop": _crop,
    "dropout": lambda layer: [Dropout(layer.probability)],
    "logistic": lambda _: [Activate("logistic")],
    "maxpool": _maxpool,
    "normalization": _normalization,
    "route": _route,
    "shortcut": _shortcut,
    "softmax": _softmax,
}
