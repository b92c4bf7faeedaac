"""Dead calls and identities removed from a graph, averages moved before 1x1 convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darknet_py.ops.graph import Graph, Node, TensorSpec, replaced
from darknet_py.ops.normalize import EPSILON, Epsilon, divisor


def simplify(graph: Graph) -> Graph:
    """The same outputs with fewer calls."""
    return _needed(_with_factors(_needed(_averages_first(_without_identities(graph)))))


def batchnorm_scale(delta: Any, scales: Any, variance: Any, epsilon: Epsilon = EPSILON) -> Any:
    """delta times what batch normalisation with fixed statistics multiplies with."""
    return delta * (scales / divisor(variance, epsilon))


def _with_factors(graph: Graph) -> Graph:
    """Of the backward of fixed statistics, where nothing is learned, only the factor is left, which
    needs no map of the forward pass."""
    read = {x for call in graph.calls for x in call.maps()}.union(graph.outputs)
    calls = []
    for call in graph.calls:
        if call.name == "batchnorm_fixed_backward" and read.isdisjoint(call.results[1:]):
            delta, _, scales, _, variance, epsilon = call.arguments
            arguments = delta, scales, variance, epsilon
            call = Node("batchnorm_scale", arguments, call.results[:1], batchnorm_scale)
        calls.append(call)
    return Graph(graph.inputs, calls, graph.outputs)


def _without_identities(graph: Graph) -> Graph:
    same: dict[TensorSpec, TensorSpec] = {}

    def current(x: TensorSpec) -> TensorSpec:
        return same.get(x, x)

    calls = []
    for call in graph.calls:
        arguments = replaced(call.arguments, current)
        call = Node(call.name, arguments, call.results, call.function)
        is_identity = _IDENTITIES.get(call.name)
        if is_identity and is_identity(*arguments):
            same.update(dict.fromkeys(call.results, call.maps()[0]))
        else:
            calls.append(call)
    return Graph(graph.inputs, calls, [current(y) for y in graph.outputs])


def _needed(graph: Graph) -> Graph:
    """Without calls that no output depends on; those without a result stay for their effect."""
    wanted = set(graph.outputs)
    kept = []
    for call in reversed(graph.calls):
        if not call.results or not wanted.isdisjoint(call.results):
            kept.append(call)
            wanted.update(call.maps())
    return Graph(graph.inputs, kept[::-1], graph.outputs)


_IDENTITIES: dict[str, Callable[..., bool]] = {
    "activate": lambda x, activation: activation == "linear",
    "activate_backward": lambda delta, y, activation: activation == "linear",
    "concat": lambda maps: len(maps) == 1,
    "concat_backward": lambda delta, channels: len(channels) == 1,
    "scale": lambda x, factor: factor == 1,
    "slice_channels": lambda x, first, count: count == x.shape[3],
    "slice_channels_backward": lambda delta, first, c: c == delta.shape[3],
    "shortcut_backward": lambda delta, shape, alpha, beta: (
        tuple(shape) == delta.shape and (alpha, beta) == (1, 1)
    ),
}
"""When the results of a call are its first map, by its arguments."""


def _averages_first(graph: Graph) -> Graph:
    """Averages before a 1x1 convolution, which then has one pixel left to do.

        avgpool(w x + b) = w avgpool(x) + b

    Networks that end in a convolution with a filter for each class, as Darknet's do, spend a tenth
    of their time in it otherwise. Dead calls are left in.
    """
    writers = {x: call for call in graph.calls for x in call.results}
    calls: list[Node] = []
    for call in graph.calls:
        chain = _convolution_before(call, writers, graph) if call.name == "avgpool" else []
        calls += _averaged_first(call, chain) if chain else [call]
    return Graph(graph.inputs, calls, graph.outputs)


def _convolution_before(average: Node, writers: dict[TensorSpec, Node], graph: Graph) -> list[Node]:
    """A convolution and what follows it up to the average, if they may change places."""
    shared = _read_twice(graph)
    chain: list[Node] = []
    x: TensorSpec = average.arguments[0]
    if x.shape[1:3] == (1, 1):
        return []
    while x in writers and x not in shared and _is_linear(writers[x]):
        chain.insert(0, writers[x])
        if chain[0].name == "conv2d":
            return chain
        x = chain[0].arguments[0]
    return []


def _read_twice(graph: Graph) -> set[TensorSpec]:
    """Maps with several readers, or that are outputs."""
    read: set[TensorSpec] = set(graph.outputs)
    twice = set(graph.outputs)
    for call in graph.calls:
        maps = set(call.maps())
        twice |= maps & read
        read |= maps
    return twice


def _is_linear(call: Node) -> bool:
    """Whether it does the same linear thing to each pixel."""
    if len(call.maps()) != 1:
        return False
    if call.name == "conv2d":
        weights, stride, padding = call.arguments[1:4]
        return weights.shape[1:3] == (1, 1) and (stride, padding) == (1, 0)
    if call.name == "add_biases":
        return bool(call.arguments[1].ndim == 1)
    return call.name == "batchnorm"


def _averaged_first(average: Node, chain: list[Node]) -> list[Node]:
    x: TensorSpec = chain[0].arguments[0]
    means = TensorSpec((x.shape[0], 1, 1, x.shape[3]), x.tracer)
    calls = [Node("avgpool", (x,), [means], average.function)]
    for call in chain:
        y = TensorSpec((x.shape[0], 1, 1, call.result.shape[3]), x.tracer)
        calls.append(Node(call.name, (means, *call.arguments[1:]), [y], call.function))
        means = y
    calls[-1].results = average.results
    return calls
