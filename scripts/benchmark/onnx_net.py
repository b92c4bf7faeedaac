"""A graph as an ONNX model, in bytes: what ONNX Runtime and OpenCV read."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from scripts.benchmark.graph import (
    Activate,
    Add,
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
    Shape,
    Softmax,
    Step,
    affine,
)

OPSET, IR_VERSION = 17, 9


def onnx_bytes(graph: Graph, batch: int) -> bytes:
    """The graph's inference for this many pictures: input x (batch, c, h, w), output y."""
    writer = _Writer(batch)
    names = {-1: _Value("x", graph.shape, is_map=True)}
    for index, step in enumerate(graph.steps):
        names[index] = _write(writer, step, [names[i] for i in step.inputs])
    result = names[graph.ends[-1]]
    writer.nodes.append(helper.make_node("Identity", [result.name], ["y"]))
    shape = (batch, *result.shape) if result.is_map else (batch, result.shape[0])
    model = helper.make_model(
        helper.make_graph(
            writer.nodes,
            "network",
            [_info("x", (batch, *graph.shape))],
            [_info("y", shape)],
            writer.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    data: bytes = model.SerializeToString()
    return data


def _info(name: str, shape: tuple[int, ...]) -> Any:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


class _Value:
    """An array in the model, of shape (n, c, h, w) if is_map, else (n, c h w)."""

    def __init__(self, name: str, shape: Shape, *, is_map: bool) -> None:
        self.name, self.shape, self.is_map = name, shape, is_map


class _Writer:
    """Collects nodes and constants, and names them."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def floats(self, values: Any) -> str:
        return self._constant(np.ascontiguousarray(values, np.float32))

    def ints(self, values: Any) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def reshaped(self, name: str, *shape: int) -> str:
        return self.node("Reshape", [name, self.ints((self.batch, *shape))])

    def map(self, value: _Value) -> str:
        return value.name if value.is_map else self.reshaped(value.name, *value.shape)

    def vector(self, value: _Value) -> str:
        return self.node("Flatten", [value.name], axis=1) if value.is_map else value.name

    def scaled(self, name: str, factor: float) -> str:
        return name if factor == 1 else self.node("Mul", [name, self.floats(factor)])


def _write(writer: _Writer, step: Step, inputs: list[_Value]) -> _Value:
    x, is_map = inputs[0], True
    match step.operation:
        case Conv() as conv:
            name = _conv(writer, writer.map(x), conv)
        case Dense(weights, biases):
            arrays = [writer.floats(array) for array in (weights, biases) if array is not None]
            name = writer.node("Gemm", [writer.vector(x), *arrays], transB=1)
            is_map = False
        case Norm() as norm:
            name, is_map = _norm(writer, x, norm), x.is_map
        case Activate(activation):
            name, is_map = _activate(writer, x.name, activation), x.is_map
        case Maxpool() as pool:
            bottom, right = pool.after
            name = writer.node(
                "MaxPool",
                [writer.map(x)],
                kernel_shape=[pool.size] * 2,
                strides=[pool.stride] * 2,
                pads=[pool.before, pool.before, bottom, right],
            )
        case Mean():
            name = writer.node("GlobalAveragePool", [writer.map(x)])
        case Concat():
            name = writer.node("Concat", [writer.map(value) for value in inputs], axis=1)
        case Add() as add:
            name = _add(writer, x, inputs[1], add)
        case Crop(top, left, scale):
            _, h, w = step.shape
            rows, columns = slice(top, top + h, 1), slice(left, left + w, 1)
            name = writer.scaled(_slice(writer, x, slice(0, x.shape[0], 1), rows, columns), scale)
            if scale != 1:
                name = writer.node("Add", [name, writer.floats(1 - scale)])
        case Lrn(size, alpha, beta, kappa):
            # ONNX divides alpha by the size
            floats = {"alpha": float(alpha * size), "beta": float(beta), "bias": float(kappa)}
            name = writer.node("LRN", [writer.map(x)], size=size, **floats)
        case Softmax() as softmax:
            name, is_map = _softmax(writer, x, softmax, step.shape), softmax.spatial
        case Dropout():
            name, is_map = x.name, x.is_map
    return _Value(name, step.shape, is_map=is_map)


def _conv(writer: _Writer, x: str, conv: Conv) -> str:
    arrays = [writer.floats(a) for a in (conv.weights, conv.biases) if a is not None]
    return writer.node(
        "Conv",
        [x, *arrays],
        kernel_shape=list(conv.weights.shape[2:]),
        strides=[conv.stride] * 2,
        pads=[conv.padding] * 4,
        group=conv.groups,
    )


def _norm(writer: _Writer, x: _Value, norm: Norm) -> str:
    shape = (1, -1, 1, 1) if x.is_map else (1, -1)
    factor, offset = (writer.floats(array.reshape(shape)) for array in affine(norm))
    return writer.node("Add", [writer.node("Mul", [x.name, factor]), offset])


def _activate(writer: _Writer, x: str, name: str) -> str:
    match name:
        case "relu":
            return writer.node("Relu", [x])
        case "leaky":
            return writer.node("LeakyRelu", [x], alpha=0.1)
        case "ramp":  # x > 0 ? 1.1 x : 0.1 x; the first half fuses with a convolution
            return writer.scaled(writer.node("LeakyRelu", [x], alpha=1 / 11), 1.1)
        case "logistic":
            return writer.node("Sigmoid", [x])
    raise AssertionError(name)


def _slice(writer: _Writer, x: _Value, *at: slice) -> str:
    """x at these places of (c, h, w)."""
    if all(len(range(*part.indices(n))) == n for part, n in zip(at, x.shape, strict=True)):
        return writer.map(x)
    starts, ends, steps = (
        writer.ints([getattr(part, what) for part in at]) for what in ("start", "stop", "step")
    )
    return writer.node("Slice", [writer.map(x), starts, ends, writer.ints([1, 2, 3]), steps])


def _pad(writer: _Writer, name: str, spare: tuple[int, ...]) -> str:
    """Zeros behind the end of each axis."""
    if not any(spare):
        return name
    return writer.node("Pad", [name, writer.ints([*[0] * len(spare), *spare])])


def _add(writer: _Writer, x: _Value, other: _Value, add: Add) -> str:
    """The other map, cut and spread to x's size, added to x."""
    met = [len(range(*part.indices(n))) for part, n in zip(add.x_at, x.shape, strict=True)]
    cut = writer.scaled(_slice(writer, other, *add.other_at), add.beta)
    spread = _spread(writer, cut, met, add.x_at[1].step, add.x_at[2].step, x.shape)
    name = writer.map(x)
    if add.alpha != 1 and met == list(x.shape):
        name = writer.scaled(name, add.alpha)
    elif add.alpha != 1:
        factors = np.ones((1, *x.shape), np.float32)
        factors[(slice(None), *add.x_at)] = add.alpha
        name = writer.node("Mul", [name, writer.floats(factors)])
    return writer.node("Add", [name, spread])


def _spread(
    writer: _Writer, name: str, met: list[int], rows: int, columns: int, shape: Shape
) -> str:
    """A map (c, h, w) = met at every `rows`th and `columns`th pixel of one of `shape`, else 0."""
    c, h, w = met
    if (rows, columns) != (1, 1):
        name = writer.reshaped(name, c, h, 1, w, 1)
        name = _pad(writer, name, (0, 0, 0, rows - 1, 0, columns - 1))
        name = writer.reshaped(name, c, h * rows, w * columns)
    value = _Value(name, (c, h * rows, w * columns), is_map=True)
    fits = [min(n, wanted) for n, wanted in zip(value.shape, shape, strict=True)]
    name = _slice(writer, value, *(slice(0, n, 1) for n in fits))
    return _pad(writer, name, (0, *(n - had for n, had in zip(shape, fits, strict=True))))


def _softmax(writer: _Writer, x: _Value, softmax: Softmax, shape: Shape) -> str:
    c, h, w = shape
    if not softmax.spatial and softmax.groups == 1:
        name = writer.scaled(writer.vector(x), 1 / softmax.temperature)
        return writer.node("Softmax", [name], axis=1)
    name = writer.reshaped(x.name, softmax.groups, c // softmax.groups, h * w)
    name = writer.node("Softmax", [writer.scaled(name, 1 / softmax.temperature)], axis=2)
    return writer.reshaped(name, *shape) if softmax.spatial else writer.reshaped(name, c)
