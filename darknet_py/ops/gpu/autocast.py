"""Automatic mixed precision: which calls of a graph compute on bfloat16.

Maps that convolutions, normalisation, activations and pooling hand on are bfloat16; what they add
up, and the parameters, are float32. All other calls get floats: losses, softmax, rare ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darknet_py.ops.gpu.pointwise import narrow, widen
from darknet_py.ops.graph import Graph, Node, TensorSpec, Tracer

HALF_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "activate": (0,),
    "activate_backward": (0, 1),
    "add": (0, 1),
    "add_biases": (0,),
    "avgpool": (0,),
    "avgpool_backward": (0,),
    "batch_statistics": (0,),
    "batchnorm_activate": (0,),
    "batchnorm_backward": (0, 1),
    "batchnorm_fixed_backward": (0, 1),
    "biases_backward": (0,),
    "concat": (0,),
    "concat_backward": (0,),
    "convolve": (0, 1, 4),
    "convolve_all": (0, 1, 4),
    "convolve_all_input": (0, 1),
    "convolve_all_weights": (0, 1),
    "convolve_input": (0, 1),
    "convolve_weights": (0, 1),
    "maxpool": (0,),
    "maxpool_backward": (0, 1),
    "batchnorm_scale": (0,),
    "shortcut_activate": (0, 1),
}
"""Calls that compute on bfloat16, and which of their arguments are; the others are floats."""

FLOAT_RESULTS: dict[str, slice] = {
    "batch_statistics": slice(0, None),
    "batchnorm_backward": slice(1, None),
    "batchnorm_fixed_backward": slice(1, None),
    "biases_backward": slice(0, None),
}
"""Those of their results that are floats all the same."""


def autocast(graph: Graph, changing: bool) -> Graph:
    """The same in half precision, its outputs floats. changing: weights move between runs, and are
    rounded in each; otherwise now."""
    casting = _Casting(graph.inputs[0].tracer, changing)
    for call in graph.calls:
        casting.add(call)
    outputs = [casting.floats(y) for y in graph.outputs]
    return Graph(graph.inputs, casting.calls, outputs)


class _Casting:
    def __init__(self, tracer: Tracer, changing: bool) -> None:
        self._tracer = tracer
        self.calls: list[Node] = []
        self._changing = changing
        self._are_half: set[TensorSpec] = set()
        self._casts: dict[tuple[str, Any], Any] = {}
        """What was made of maps, and of arrays by their identity, in the other type."""

    def add(self, call: Node) -> None:
        name = call.name
        half = HALF_ARGUMENTS.get(name, ()) if _takes_half(call) else ()
        arguments = tuple(
            self._each(self._halved if k in half else self.floats, argument)
            for k, argument in enumerate(call.arguments)
        )
        self.calls.append(Node(name, arguments, call.results, call.function))
        if half:
            are_floats = call.results[FLOAT_RESULTS.get(name, slice(0, 0))]
            self._are_half.update(set(call.results).difference(are_floats))

    def floats(self, x: Any) -> Any:
        """A map as floats; anything else as it is."""
        if not isinstance(x, TensorSpec) or x not in self._are_half:
            return x
        return self._cast("widen", widen, x, x.shape, x)

    def _halved(self, x: Any) -> Any:
        if isinstance(x, TensorSpec):
            if x in self._are_half:
                return x
            half = self._cast("narrow", narrow, x, x.shape, x)
            self._are_half.add(half)
            return half
        if x is None:
            return None
        if not self._changing:
            return narrow(x)
        return self._cast("narrow", narrow, x, x.shape, id(x))

    def _cast(
        self, name: str, function: Callable[..., Any], x: Any, shape: tuple[int, ...], key: Any
    ) -> TensorSpec:
        if (name, key) not in self._casts:
            y = TensorSpec(shape, self._tracer)
            self.calls.append(Node(name, (x,), [y], function))
            self._casts[name, key] = y
        cast: TensorSpec = self._casts[name, key]
        return cast

    def _each(self, cast: Callable[[Any], Any], value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(self._each(cast, one) for one in value)
        return cast(value)


def _takes_half(call: Node) -> bool:
    """Whether our kernels, and not numpy's functions, compute it."""
    if call.name == "add_biases":
        return bool(call.arguments[1].ndim == 1)
    if call.name == "shortcut_activate":
        one, other = call.arguments[:2]
        return bool(one.shape == other.shape)
    return True
