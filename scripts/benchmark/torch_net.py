"""A graph run by PyTorch: for time in float32, for the truth in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from scripts.benchmark.graph import (
    EPSILON,
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
    affine,
)

Tensor = Any


class TorchNet:
    """Called with pictures (n, c, h, w), gives the graph's output.

    training: normalises by the batch's statistics, as nn.BatchNorm2d does or if `exact` by
    darknet's formula, and its weights want gradients. Else by the rolling ones, always exact.
    layers: whose `outputs` are wanted. device: PyTorch's, as "cuda"; what it gives is there.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        dtype: Any = torch.float32,
        channels_last: bool = False,
        training: bool = False,
        exact: bool = False,
        layers: Sequence[int] = (-1,),
        device: str = "cpu",
    ) -> None:
        self.graph = graph
        self.device = device
        self.dtype, self.training, self.exact = dtype, training, exact
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.last_readers = graph.last_readers()
        self.kept = {-1, *graph.ends}
        self.wanted = [graph.ends[layer] for layer in layers]
        self.tensors = [self._tensors(step.operation) for step in graph.steps]

    def __call__(self, x: Tensor) -> Tensor:
        return self.outputs(x)[-1]

    def outputs(self, x: Tensor) -> list[Tensor]:
        """Of each of `layers`."""
        outputs = {-1: x}
        for index, step in enumerate(self.graph.steps):
            inputs = [outputs[i] for i in step.inputs]
            for i in set(step.inputs):
                if self._is_last_reader(index, i):
                    del outputs[i]
            outputs[index] = self.run(index, inputs)
        return [outputs[end] for end in self.wanted]

    def input(self, x: np.ndarray) -> Tensor:
        """Pictures as this build wants them, where it is."""
        pictures = torch.from_numpy(x)
        if self.device.startswith("cuda"):
            # from pinned memory the device reads by itself, which is faster
            pictures = pictures.pin_memory()
        there = pictures.to(self.device, self.dtype, non_blocking=True)
        return there.contiguous(memory_format=self.format)

    def learned(self) -> list[Tensor]:
        """What gradients are made for."""
        return [t for tensors in self.tensors for t in tensors if t is not None and t.requires_grad]

    def refresh(self, index: int) -> None:
        """Reads a step's arrays again."""
        self.tensors[index] = self._tensors(self.graph.steps[index].operation)

    def run(self, index: int, inputs: list[Tensor]) -> Tensor:
        """One step."""
        step, tensors = self.graph.steps[index], self.tensors[index]
        x = inputs[0]
        match step.operation:
            case Conv() as conv:
                weights, biases = tensors
                window = {"stride": conv.stride, "padding": conv.padding, "groups": conv.groups}
                return functional.conv2d(_map(x), weights, biases, **window)
            case Dense():
                return functional.linear(x.flatten(1), *tensors)
            case Norm():
                return self._norm(x, tensors)
            case Activate(name):
                return _activate(x, name, in_place=step.inputs[0] not in self.kept)
            case Maxpool() as pool:
                return _maxpool(_map(x), pool, step.shape)
            case Mean():
                return functional.adaptive_avg_pool2d(_map(x), 1)
            case Concat():
                return torch.cat([_map(x) for x in inputs], 1)
            case Add() as add:
                x, other = (_map(x) for x in inputs)
                mine = step.inputs[0] >= 0 and self._is_last_reader(index, step.inputs[0])
                return _add(x, other, add, in_place=mine and not torch.is_grad_enabled())
            case Crop(top, left, scale):
                _, h, w = step.shape
                window = x[:, :, top : top + h, left : left + w]
                return window * scale + (1 - scale) if scale != 1 else window
            case Lrn() as lrn:
                return _lrn(_map(x), lrn)
            case Softmax() as softmax:
                return _softmax(x, softmax, step.shape)
            case Dropout(probability):
                return functional.dropout(x, probability, self.training)

    def _is_last_reader(self, index: int, i: int) -> bool:
        """Whether no step after `index` reads the output of step i."""
        return self.last_readers[i] == index and i not in self.wanted

    def _tensors(self, operation: object) -> tuple[Tensor, ...]:
        if isinstance(operation, Conv | Dense):
            return self._tensor(operation.weights), self._tensor(operation.biases)
        if isinstance(operation, Norm) and self.training:
            kept = (self._constant(operation.mean), self._constant(operation.variance))
            return (self._tensor(operation.scales), self._tensor(operation.biases), *kept)
        if isinstance(operation, Norm):
            return tuple(self._constant(array) for array in affine(operation))
        return ()

    def _tensor(self, array: Any) -> Tensor:
        if array is None:
            return None
        return self._constant(array).requires_grad_(self.training)

    def _constant(self, array: Any) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.device, self.dtype)
        # a copy, lest training write into the network's arrays
        tensor = tensor.clone()
        return tensor.contiguous(memory_format=self.format) if tensor.ndim == 4 else tensor

    def _norm(self, x: Tensor, tensors: tuple[Tensor, ...]) -> Tensor:
        if not self.training:
            factor, offset = (_channels(t, x) for t in tensors)
            return x * factor + offset
        scales, biases, mean, variance = tensors
        if not self.exact:
            return functional.batch_norm(x, mean, variance, scales, biases, True, 0.01)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        centered = x - x.mean(axes, keepdim=True)
        deviation = x.var(axes, unbiased=True, keepdim=True).sqrt()
        y = centered / (deviation + EPSILON) * _channels(scales, x)
        return y if biases is None else y + _channels(biases, x)


def _map(x: Tensor) -> Tensor:
    return x if x.ndim == 4 else x[:, :, None, None]


def _channels(values: Tensor, x: Tensor) -> Tensor:
    """(c,), for a map or a vector."""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


def _activate(x: Tensor, name: str, *, in_place: bool) -> Tensor:
    match name:
        case "relu":
            return functional.relu(x, inplace=in_place)
        case "leaky":
            return functional.leaky_relu(x, 0.1, inplace=in_place)
        case "ramp":  # x > 0 ? 1.1 x : 0.1 x
            return functional.leaky_relu(x, 1 / 11, inplace=in_place) * 1.1
        case "logistic":
            return torch.sigmoid(x)
    raise AssertionError(name)


def _maxpool(x: Tensor, pool: Maxpool, shape: Shape) -> Tensor:
    """By PyTorch's own padding where it can, which is the same at both ends."""
    size, stride, before = pool.size, pool.stride, pool.before
    own = functional.max_pool2d
    for ceil in (False, True) if before <= size // 2 else ():
        if shape[1:] == tuple(
            _pooled(length, size, stride, before, ceil) for length in x.shape[2:]
        ):
            return own(x, size, stride, padding=before, ceil_mode=ceil)
    bottom, right = pool.after
    padded = functional.pad(x, (before, right, before, bottom), value=-np.inf)
    return own(padded, size, stride)


def _pooled(length: int, size: int, stride: int, padding: int, ceil: bool) -> int:
    """The length that max_pool2d gives."""
    room = length + 2 * padding - size
    count = -(-room // stride) + 1 if ceil else room // stride + 1
    # a window must not begin behind the map
    return count - 1 if ceil and (count - 1) * stride >= length + padding else count


def _add(x: Tensor, other: Tensor, add: Add, *, in_place: bool) -> Tensor:
    if x.shape == other.shape:
        if add.alpha != 1:
            return add.alpha * x + add.beta * other
        return x.add_(other, alpha=add.beta) if in_place else x.add(other, alpha=add.beta)
    y = x if in_place else x.clone()
    x_at, other_at = (slice(None), *add.x_at), (slice(None), *add.other_at)
    y[x_at] = add.alpha * x[x_at] + add.beta * other[other_at]
    return y


def _lrn(x: Tensor, lrn: Lrn) -> Tensor:
    """PyTorch divides alpha by the size."""
    return functional.local_response_norm(x, lrn.size, lrn.alpha * lrn.size, lrn.beta, lrn.kappa)


def _softmax(x: Tensor, softmax: Softmax, shape: Shape) -> Tensor:
    if not softmax.spatial and softmax.groups == 1:
        return functional.softmax(x.flatten(1) / softmax.temperature, 1)
    c, h, w = shape
    parts = x.reshape(len(x), softmax.groups, c // softmax.groups, h * w)
    y = functional.softmax(parts / softmax.temperature, 2)
    return y.reshape(len(x), c, h, w) if softmax.spatial else y.reshape(len(x), c)
