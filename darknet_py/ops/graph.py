"""The tracer: calls of ops recorded in a graph instead of computed.

Layers are given a `Tracer` for their `ops`. Its functions take and return TensorSpecs, which have
shapes and no values; of the list of calls a device makes a program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from darknet_py.ops.pooling import blur_outs
from darknet_py.ops.sizes import Stride, conv_outs, maxpool_outs

ShapeOf = tuple[int, ...]


class TensorSpec:
    """An array that will be there when the program runs: (n, h, w, c) float32."""

    __slots__ = ("dtype", "shape", "tracer")
    __array_ufunc__ = None  # no array computes with it

    def __init__(self, shape: Sequence[int], tracer: Tracer) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(np.float32)
        self.tracer = tracer

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def reshape(self, *shape: int) -> TensorSpec:
        """The same numbers in order, in another shape."""
        return self.tracer.call("reshape", np.reshape, (self, shape))  # type: ignore[no-any-return]

    def __rmul__(self, factor: float) -> TensorSpec:
        if not isinstance(factor, float | int):
            return NotImplemented
        return self.tracer.call("scale", np.multiply, (self, factor))  # type: ignore[no-any-return]


@dataclass(eq=False)
class Node:
    """One call of an op, its arguments in the order of the signature, with defaults filled in."""

    name: str
    arguments: tuple[Any, ...]
    results: list[TensorSpec]
    function: Callable[..., Any] | None = None

    @property
    def result(self) -> TensorSpec:
        (only,) = self.results
        return only

    def maps(self) -> list[TensorSpec]:
        """The TensorSpecs among the arguments."""
        return _maps_in(self.arguments)


@dataclass
class Graph:
    """What a program is made of: calls in order, what it takes and what it gives."""

    inputs: list[TensorSpec]
    calls: list[Node]
    outputs: list[TensorSpec] = field(default_factory=list)


class Tracer:
    """Has every function of a device's ops; they record."""

    def __init__(self, ops: ModuleType, changing: bool = False) -> None:
        """changing: parameters move between runs of what is recorded."""
        self._ops = ops
        self.changing = changing
        self.calls: list[Node] = []
        self.inputs: list[TensorSpec] = []

    def input(self, shape: Sequence[int]) -> TensorSpec:
        """An array that the program is given when it runs."""
        given = TensorSpec(shape, self)
        self.inputs.append(given)
        return given

    def graph(self, outputs: Sequence[TensorSpec]) -> Graph:
        return Graph(self.inputs, self.calls, list(outputs))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._ops, name)

        def record(*arguments: Any, **named: Any) -> Any:
            bound = _signature(function).bind(*arguments, **named)
            bound.apply_defaults()
            return self.call(name, function, bound.args)

        return record

    def call(self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Records a call, and returns TensorSpecs in the structure that the function returns."""
        is_constant = not (self.changing and name in OF_PARAMETERS)
        if is_constant and not _maps_in(arguments):
            return function(*arguments)
        results: list[TensorSpec] = []
        given = self._mapped(_result_shapes(name, function, arguments), results)
        self.calls.append(Node(name, arguments, results, function))
        return given

    def _mapped(self, shapes: Any, results: list[TensorSpec]) -> Any:
        if shapes is None:
            return None
        if isinstance(shapes, _Several):
            return shapes.kind(self._mapped(shape, results) for shape in shapes.shapes)
        results.append(TensorSpec(shapes, self))
        return results[-1]


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Layers call the same few functions again and again."""
    return inspect.signature(function)


@dataclass
class _Several:
    kind: Any
    shapes: list[Any]


def _result_shapes(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The shape of a call's result, or of several."""
    if name in SHAPES:
        return SHAPES[name](*arguments)
    # Whatever has no entry in the table is called once, on zeros.
    with np.errstate(all="ignore"):
        zeros = replaced(arguments, lambda x: np.zeros(x.shape, x.dtype))
        return _shapes_in(function(*zeros))


def _shapes_in(result: Any) -> Any:
    if result is None:
        return None
    if isinstance(result, tuple | list):
        return _Several(type(result), [_shapes_in(one) for one in result])
    return np.shape(result)


def _maps_in(value: Any) -> list[TensorSpec]:
    if isinstance(value, TensorSpec):
        return [value]
    if isinstance(value, tuple | list):
        return [found for one in value for found in _maps_in(one)]
    return []


def replaced(value: Any, arrays: Callable[[TensorSpec], Any]) -> Any:
    """Arguments with an array for every TensorSpec."""
    if isinstance(value, TensorSpec):
        return arrays(value)
    if isinstance(value, tuple | list):
        return type(value)(replaced(one, arrays) for one in value)
    return value


def _conv2d(
    x: TensorSpec, weights: Any, stride: Stride, padding: int, groups: int, dilation: int = 1
) -> ShapeOf:
    n, h, w, _ = x.shape
    out_c, size = weights.shape[:2]
    return n, *conv_outs(h, w, size, stride, padding, dilation), out_c


def _pooled(x: TensorSpec, size: int, stride: Stride, padding: int) -> ShapeOf:
    n, h, w, c = x.shape
    return n, *maxpool_outs(h, w, size, stride, padding), c


def _blur(x: TensorSpec, size: int, stride: Stride) -> ShapeOf:
    n, h, w, c = x.shape
    return n, *blur_outs(h, w, size, stride), c


def _as_first(x: TensorSpec, *_: Any) -> ShapeOf:
    return x.shape


def _weights_of_conv(
    delta: TensorSpec, x: TensorSpec, size: int, stride: Stride, padding: int, groups: int, *_: Any
) -> ShapeOf:
    return delta.shape[3], size, size, x.shape[3] // groups


def _local2d(x: TensorSpec, weights: Any, stride: int, padding: int) -> ShapeOf:
    return x.shape[0], *weights.shape[:3]


def _weights_of_local(
    delta: TensorSpec, x: TensorSpec, size: int, stride: int, padding: int
) -> ShapeOf:
    return *delta.shape[1:], size, size, x.shape[3]


def _channels(x: TensorSpec, *_: Any) -> ShapeOf:
    return (x.shape[-1],)


def _normalized(delta: TensorSpec, x: TensorSpec, *_: Any) -> _Several:
    return _Several(tuple, [x.shape, _channels(x), _channels(x)])


OF_PARAMETERS = {"binarize_weights", "shortcut_factors"}
"""Of what they give of arrays alone there is another one once these have moved."""

SHAPES: dict[str, Callable[..., Any]] = {
    "accumulate": lambda array, value: None,
    "activate": _as_first,
    "activate_backward": _as_first,
    "add": _as_first,
    "add_biases": _as_first,
    "avgpool": lambda x: (x.shape[0], 1, 1, x.shape[3]),
    "avgpool_backward": lambda delta, shape: shape,
    "batch_statistics": lambda x: _Several(tuple, [_channels(x), _channels(x)]),
    "batchnorm": _as_first,
    "batchnorm_backward": _normalized,
    "batchnorm_fixed_backward": _normalized,
    "biases_backward": _channels,
    "binarize": _as_first,
    "binarize_weights": _as_first,
    "blur": _blur,
    "blur_backward": lambda delta, shape, *_: shape,
    "concat": lambda maps: (*maps[0].shape[:3], sum(x.shape[3] for x in maps)),
    "concat_backward": lambda delta, channels: _Several(
        list, [(*delta.shape[:3], c) for c in channels]
    ),
    "conv2d": _conv2d,
    "conv2d_backward_input": lambda delta, weights, shape, *window: shape,
    "conv2d_backward_weights": _weights_of_conv,
    "dense": lambda x, weights: (x.shape[0], 1, 1, weights.shape[0]),
    "dense_backward_input": lambda delta, weights, shape: shape,
    "dense_backward_weights": lambda delta, x: (
        delta.size // delta.shape[0],
        x.size // x.shape[0],
    ),
    "dream_delta": _as_first,
    "dream_limit": lambda y, *_: (y.shape[0], 1, 1, 1),
    "dropout": _as_first,
    "flatten_chw": lambda x: (x.shape[0], 1, 1, x.size // x.shape[0]),
    "flatten_chw_backward": lambda delta, shape: shape,
    "guide_delta": _as_first,
    "join_steps": lambda steps: (sum(x.shape[0] for x in steps), *steps[0].shape[1:]),
    "local2d": _local2d,
    "local2d_backward_input": lambda delta, weights, shape, *window: shape,
    "local2d_backward_weights": _weights_of_local,
    "local_avgpool": _pooled,
    "local_avgpool_backward": lambda delta, shape, *window: shape,
    "maxpool": _pooled,
    "maxpool_backward": lambda delta, x, *window: x.shape,
    "maxpool_depth": lambda x, out_channels: (*x.shape[:3], out_channels),
    "maxpool_depth_backward": lambda delta, x, out_channels: x.shape,
    "moving_average": lambda rolling, value, taken: None,
    "multiply": _as_first,
    "one_hot": _as_first,
    "pad_to": lambda x, h, w: (x.shape[0], h, w, x.shape[3]),
    "pad_to_backward": lambda delta, shape: shape,
    "random_crop": lambda x, h, w, *_: (x.shape[0], h, w, x.shape[3]),
    "random_crop_backward": lambda delta, shape, *_: shape,
    "scale": _as_first,
    "slice_channels": lambda x, first, count: (*x.shape[:3], count),
    "slice_channels_backward": lambda delta, first, c: (*delta.shape[:3], c),
    "shortcut": _as_first,
    "shortcut_backward": lambda delta, shape, *factors: _Several(tuple, [delta.shape, shape]),
    "shortcut_factors": _as_first,
    "softmax": _as_first,
    "softmax_backward": _as_first,
    "stand_out": _as_first,
    "standardize": _as_first,
    "standardize_backward": _as_first,
    "to_chw": lambda x: (x.shape[0], x.shape[3], x.shape[1], x.shape[2]),
    "to_hwc": lambda x: (x.shape[0], x.shape[2], x.shape[3], x.shape[1]),
    "weighted_sum": lambda maps, factors: maps[0].shape,
}
"""The shapes of what an op gives, by name, from its arguments."""
